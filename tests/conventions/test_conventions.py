"""Conventions as tests that walk the program."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from bot.app.create import create_app
from bot.app.features import load_features
from bot.core.events import EventRow
from bot.core.installation import Installation
from bot.core.settings import Settings
from bot.web.api import Answer, Body
from bot.web.guard import permission_of

ROOT = Path(__file__).parents[2]
PERMISSION = re.compile(r"public|[a-z][a-z-]*:(read|write)")

RULES = [
    *("G1", "G2", "G3", "G4", "G5", "G6", "C1", "C2", "C4", "C5", "C6", "C7", "C8", "C9", "T1", "T2", "T3", "T7"),
    *("W1", "W2", "W3", "W7", "F1", "P1", "P2", "P3", "S1", "S2", "S3", "I1", "I5"),
]


def test_every_route_names_a_permission(installation: Installation) -> None:  # S2
    app = create_app(installation)
    views = {rule.endpoint: app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules()}
    nameless = [name for name, view in views.items() if not PERMISSION.fullmatch(permission_of(view) or "")]
    assert nameless == []


def test_no_two_models_of_the_api_share_a_name() -> None:  # I1
    load_features()
    named: Counter[str] = Counter(one.__name__ for base in (Body, Answer) for one in _below(base))
    assert [name for name, n in named.items() if n > 1 and re.search("(Body|Change|Answer)$", name)] == []


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    assert [name for name in Settings.model_fields if f"`FUGOU_{name.upper()}`" not in page] == []


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_built_so_far_is_named_by_a_test(rule: str) -> None:
    tests = [file.read_text() for file in (ROOT / "tests").rglob("test_*.py") if file.name != Path(__file__).name]
    assert any(re.search(rf"#.*\b{rule}\b", text) for text in tests)


def test_nobody_changes_or_deletes_events() -> None:  # G4
    writing = re.compile(r"(update|delete)\((EventRow|.*events)\b|(UPDATE|DELETE FROM) events\b")
    code = [file for room in ("bot", "tags", "handlers") for file in (ROOT / room).rglob("*.py")]
    assert [str(file) for file in code if writing.search(file.read_text())] == []
    assert EventRow.__tablename__ == "events"


def _below(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in base.__subclasses__():
        yield one
        yield from _below(one)
