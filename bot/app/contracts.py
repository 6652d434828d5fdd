"""The import contracts of `make lint`, built from the ordered list in `features.py`: arrows go one way only."""

import sys
import tempfile
from pathlib import Path

from importlinter.cli import lint_imports

from bot.app.features import FEATURES

ROOMS = ("bot.app : bot.migrations", "handlers", "tags", "bot.operators", "bot.web", "bot.wecom", "bot.core")
SIMULATOR_MAY_NOT = (
    "bot.app", "bot.migrations", "handlers", "tags", "bot.operators", "bot.web", "bot.wecom", "bot.core.crypto",
)  # fmt: skip


def config() -> str:
    """The contracts as import-linter reads them."""
    return "\n".join((
        "[importlinter]", "root_packages =", *_lines("bot", "tags", "handlers"), "include_external_packages = False",
        "[importlinter:contract:rooms]", "name = Rooms import downwards", "type = layers", "layers =", *_lines(*ROOMS),
        "[importlinter:contract:features]", "name = A feature imports those above it in features.py",
        "type = layers", "layers =", *_lines(*reversed(FEATURES)),
        "[importlinter:contract:simulator]", "name = The simulator shares no code with what it tests",
        "type = forbidden", "source_modules =", *_lines("bot.simulator"),
        "forbidden_modules =", *_lines(*SIMULATOR_MAY_NOT), "allow_indirect_imports = True",
        "[importlinter:contract:nobody]", "name = Only the program and the tests start the simulator",
        "type = forbidden", "source_modules =", *_lines(*ROOMS[1:]),
        "forbidden_modules =", *_lines("bot.simulator"), "",
    ))  # fmt: skip


def main() -> int:
    """Check the tree; 0 when every arrow goes the right way."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "importlinter.ini"
        file.write_text(config())
        return lint_imports(config_filename=str(file), no_cache=True)


def _lines(*names: str) -> list[str]:
    return [f"    {name}" for name in names]


if __name__ == "__main__":
    sys.exit(main())
