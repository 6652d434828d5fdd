"""Two-step login: RFC 6238's own numbers, setting it up, getting in, getting in without the phone (S2)."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from consoles import console_app
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core import preferences
from bot.core.installation import Installation
from bot.operators import totp
from bot.operators.accounts import add_operator, find_operator
from bot.operators.models import AuditRow, Operator, RecoveryCode

PASSWORD = "open sesame 2026"
SEED = b"12345678901234567890"
# RFC 6238, appendix B, SHA-1: eight digits, of which six are the password's last
VECTORS = [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
           (2000000000, "69279037"), (20000000000, "65353130")]  # fmt: skip


@pytest.mark.parametrize(("second", "password"), VECTORS)
def test_passwords_are_those_of_rfc_6238(second: int, password: str) -> None:  # S2
    assert totp.password_at(SEED, second // 30) == password[2:]


def test_a_password_counts_within_a_step_either_way_and_never_twice() -> None:  # S2
    at = datetime.fromtimestamp(1234567890, UTC)
    step = 1234567890 // 30
    for steps, found in ((-2, None), (-1, step - 1), (0, step), (1, step + 1), (2, None)):
        assert totp.matching_step(SEED, totp.password_at(SEED, step + steps), at, after=0) == found
    assert totp.matching_step(SEED, totp.password_at(SEED, step), at, after=step) is None


@pytest.fixture
def installation_with_lin(installation: Installation) -> Installation:
    with installation.transaction("test") as session:
        add_operator(session, "lin", "operator", PASSWORD)
        add_operator(session, "owner", "owner", PASSWORD)
    return installation


class Browser:
    """One browser at the console, with a clock of its own for the authenticator."""

    def __init__(self, installation: Installation) -> None:
        self.client: FlaskClient = console_app(installation).test_client()
        self.page = ""

    def get(self, path: str) -> int:
        answer = self.client.get(path)
        self.page = answer.get_data(as_text=True)
        return answer.status_code

    def post(self, path: str, **form: str) -> tuple[int, str]:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page)
        answer = self.client.post(path, data={**form, "csrf_token": token[1] if token else ""})
        self.page = answer.get_data(as_text=True) or self.page
        return answer.status_code, answer.headers.get("Location", "")

    def password(self, name: str = "lin", password: str = PASSWORD) -> tuple[int, str]:
        self.get("/console/login")
        return self.post("/console/login", name=name, password=password)

    def inside(self) -> bool:
        return self.client.get("/console/find").status_code == 200

    def set_up(self) -> tuple[bytes, list[str]]:
        """Switch two-step login on as its page says; the seed its picture holds and the codes that are shown."""
        self.get("/console/two-step")
        offer = re.search(r'name="offer" value="([^"]+)"', self.page)
        secret = re.search(r"[A-Z2-7]{32}", self.page)
        assert offer
        assert secret
        seed = __import__("base64").b32decode(secret[0])
        assert self.post("/console/two-step", offer=offer[1], code=now(seed))[0] == 200
        return seed, re.findall(r"<code>([A-Z2-7-]+)</code>", self.page)


def now(seed: bytes, steps: int = 0) -> str:
    """What the app shows, `steps` of 30 s from now."""
    return totp.password_at(seed, int(datetime.now(UTC).timestamp()) // 30 + steps)


@pytest.fixture
def browser(installation_with_lin: Installation) -> Browser:
    made = Browser(installation_with_lin)
    made.password()
    return made


def test_with_a_second_step_the_password_alone_opens_nothing(  # S2
    browser: Browser, installation_with_lin: Installation
) -> None:
    seed, codes = browser.set_up()
    assert len(codes) == len(set(codes)) == 10
    other = Browser(installation_with_lin)
    assert other.password() == (303, "/console/login/second?next=/console/")
    assert not other.inside()
    other.get("/console/login/second?next=/console/tags")
    assert other.post("/console/login/second", code="000000")[0] == 422
    assert other.post("/console/login/second", code=now(seed))[0] == 422  # was used to set it up
    assert other.post("/console/login/second?next=/console/tags", code=now(seed, 1)) == (303, "/console/tags")
    assert other.inside()


def test_a_recovery_code_gets_in_once_however_it_is_typed(  # S2
    browser: Browser, installation_with_lin: Installation
) -> None:
    _, codes = browser.set_up()
    tries = []
    for typed in (codes[0].lower().replace("-", " "), codes[0], codes[1]):
        other = Browser(installation_with_lin)
        other.password()
        other.get("/console/login/second")
        tries.append((other.post("/console/login/second", code=typed)[0], other.inside()))
    assert tries == [(303, True), (422, False), (303, True)]


def test_seeds_and_codes_are_not_in_the_tables_or_the_audit(browser: Browser, session: Session) -> None:  # S3
    seed, codes = browser.set_up()
    kept = session.scalar(select(Operator.totp_seed).where(Operator.name == "lin"))
    assert kept
    assert seed not in kept
    plain = {code.replace("-", "").encode() for code in codes}
    assert not plain & set(session.scalars(select(RecoveryCode.digest)))
    told = [str((row.action, row.before, row.after)) for row in session.scalars(select(AuditRow))]
    assert any("two_step_on" in one for one in told)
    assert not any(code in one or totp.written(seed) in one for one in told for code in codes)


def test_the_second_step_can_be_tried_ten_times(browser: Browser, installation_with_lin: Installation) -> None:  # S2
    seed, _ = browser.set_up()
    other = Browser(installation_with_lin)
    other.password()
    other.get("/console/login/second")
    assert [other.post("/console/login/second", code="000000")[0] for _ in range(11)] == [422] * 10 + [429]
    assert other.post("/console/login/second", code=now(seed, 1))[0] == 429


def test_nobody_stands_half_open_for_long_or_at_anothers_account(  # S2
    browser: Browser, installation_with_lin: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed, _ = browser.set_up()
    other = Browser(installation_with_lin)
    assert other.get("/console/login/second") == 303  # without a password
    other.password()
    other.get("/console/login/second")
    started = datetime.now(UTC)
    monkeypatch.setattr("bot.core.clock.now", lambda: started + timedelta(minutes=6))
    assert other.post("/console/login/second", code=now(seed, 12)) == (303, "/console/login")
    assert not other.inside()


def test_where_it_is_required_who_has_none_sees_only_its_page(  # S2
    browser: Browser, installation_with_lin: Installation
) -> None:
    with installation_with_lin.transaction("test") as session:
        preferences.change(session, "totp_required", True)
    assert (browser.get("/console/find"), browser.get("/console/operators")) == (303, 403)
    assert browser.client.get("/console/find").headers["Location"] == "/console/two-step"
    seed, _ = browser.set_up()
    assert browser.inside()
    browser.get("/console/two-step")
    assert browser.post("/console/two-step/off", code=now(seed, 1))[0] == 409


def test_she_switches_it_off_with_a_password_of_her_app(browser: Browser, installation_with_lin: Installation) -> None:
    seed, _ = browser.set_up()
    browser.get("/console/two-step")
    assert browser.post("/console/two-step/off", code="000000")[0] == 422
    assert browser.post("/console/two-step/off", code=now(seed, 1)) == (303, "/console/two-step")
    assert Browser(installation_with_lin).password() == (303, "/console/")


def test_the_owner_resets_anothers_and_nobody_else_does(browser: Browser, installation_with_lin: Installation) -> None:
    browser.set_up()
    with installation_with_lin.transaction("test") as session:
        lin = find_operator(session, "lin")
        assert lin
        path = f"/console/operators/{lin.id}/two-step-off"
    browser.get("/console/two-step")
    assert browser.post(path)[0] == 403
    owner = Browser(installation_with_lin)
    owner.password("owner")
    assert owner.get("/console/operators") == 200
    assert owner.post(path) == (303, "/console/operators")
    assert Browser(installation_with_lin).password() == (303, "/console/")
