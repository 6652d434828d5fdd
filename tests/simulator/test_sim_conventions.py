"""What holds for every act and every refusal of the simulator."""

import re
from pathlib import Path

from bot import simulator
from bot.simulator import codes
from bot.simulator.site import AREAS

SOURCE = Path(simulator.__file__).parent
DOCUMENT = SOURCE.parent.parent / "docs" / "simulator.md"


def unnamed(path):
    """A path without the names of its parameters."""
    return re.sub(r"<[^>]+>|\{[^}]+\}", "{}", path)


def test_every_act_is_in_the_document_and_no_other():
    listed = re.findall(r"`(GET|POST|PATCH|DELETE) (/sim/[^`?]*)", DOCUMENT.read_text())
    documented = {(method, unnamed(path.strip())) for method, path in listed}
    acts = {(act.method, unnamed(f"/sim{act.path}")) for area in AREAS for act in area.acts}
    assert documented - {("GET", "/sim/media/{}")} == acts


def test_every_refusal_is_named_by_a_test_and_has_its_words():
    raised = {
        int(number)
        for file in SOURCE.rglob("*.py") if file.name != "codes.py"
        for line in file.read_text().splitlines() if re.search(r"Refused|missing=|too_|TOO_BIG|_result", line)
        for number in re.findall(r"\b([4-9]\d{4}|30\d{4})\b", line)
    }  # fmt: skip
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert len(raised) > 80
    assert [number for number in sorted(raised) if str(number) not in tests] == []
    assert sorted(raised - codes.MESSAGES.keys()) == []
