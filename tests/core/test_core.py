"""The ground: clock, events, preferences, settings, secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.core import clock, events, log, preferences
from bot.core import settings as fugou_settings
from bot.core.crypto import Vault
from bot.core.errors import Unacceptable
from bot.core.events import Event, EventRow, announce, announce_all
from bot.core.installation import Installation

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_month_begins_at_midnight_in_the_brands_zone() -> None:  # G2
    before, after = (datetime(2026, 10, 31, 15, 59, tzinfo=UTC), datetime(2026, 10, 31, 16, 1, tzinfo=UTC))
    assert [clock.month_of(at, SHANGHAI) for at in (before, after)] == ["2026-10", "2026-11"]
    assert clock.month_start("2026-11", SHANGHAI) == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert clock.month_start("2026-11", SHANGHAI, 13) == datetime(2027, 11, 30, 16, tzinfo=UTC)


@given(st.integers(946_684_800, 4_102_444_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_every_moment_lies_in_its_month(at: datetime) -> None:  # G2
    month = clock.month_of(at, SHANGHAI)
    assert clock.month_start(month, SHANGHAI) <= at < clock.month_start(month, SHANGHAI, 1)


def test_processes_that_share_a_clock_file_move_together(tmp_path: Path) -> None:  # G3
    mine, other = clock.Clock(), clock.Clock()
    for each in (mine, other):
        each.follow(tmp_path / "run" / "clock")
    mine.advance(3 * 86_400)
    assert abs(other.now() - mine.now()) < timedelta(seconds=1)
    assert other.now() - datetime.now(UTC) > timedelta(days=2, hours=23)


def test_a_span_is_over_when_the_shared_clock_has_passed_it(tmp_path: Path) -> None:  # G3
    mine, other = clock.Clock(), clock.Clock()
    for each in (mine, other):
        each.follow(tmp_path / "clock")
    before = other.monotonic()
    mine.advance(7200)
    assert 7200 <= other.monotonic() - before < 7260


@dataclass(frozen=True, kw_only=True)
class Bought(Event, name="test.bought"):
    fen: int


@dataclass(frozen=True, kw_only=True)
class Earned(Event, name="test.earned"):
    points: int


def test_an_event_keeps_who_when_why_and_what_caused_it(session: Session) -> None:  # G4
    def earn(session: Session, event: Bought) -> None:
        announce(session, Earned(customer_id=event.customer_id, points=event.fen // 100), why="1 %")

    events.listeners.entries.append(events.Ear(Bought, earn))
    at = datetime(2026, 3, 1, tzinfo=UTC)
    first = announce(session, Bought(customer_id=7, fen=500), at=at)
    rows = session.scalars(select(EventRow).where(EventRow.customer_id == 7).order_by(EventRow.id)).all()
    assert [(row.name, row.actor, row.why, row.cause_id, row.data) for row in rows] == [
        ("test.bought", "test", "", None, {"fen": 500}),
        ("test.earned", "test", "1 %", first, {"points": 5}),
    ]
    assert rows[0].at == at


def test_partitions_of_the_coming_months_exist(session: Session) -> None:
    name = f"events_{clock.now():%Y_%m}"
    assert session.scalar(text("SELECT to_regclass(:name)"), {"name": name}) == name


def test_a_preference_is_checked_changed_and_seen_by_other_processes(installation: Installation) -> None:
    other = Installation(installation.settings, installation.database_url, installation.redis_url)
    with installation.transaction("operator:1") as session:
        assert preferences.change(session, "api_requests_per_minute", 60) == (1200, 60)
        with pytest.raises(Unacceptable) as refused:
            preferences.change(session, "api_requests_per_minute", "many")
        assert refused.value.faults[0].pointer == "/api_requests_per_minute"
        with pytest.raises(Unacceptable, match="no setting of this name"):
            preferences.change(session, "no_such_setting", 1)
    with other.transaction("test") as session:
        assert preferences.everything(session)["api_requests_per_minute"] == 60
    other.close()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FUGOU_TIMEZONE", "Mars/Olympus", "FUGOU_TIMEZONE .* IANA time zone"),
        ("FUGOU_DATABASE_URL", "mysql://user:hunter2@host/db", "FUGOU_DATABASE_URL"),
        ("FUGOU_SECRET_KEY", "short-and-secret", "FUGOU_SECRET_KEY"),
        ("FUGOU_WECOM_CALLBACK_AES_KEY", "x" * 42, "43 letters and digits"),
        ("FUGOU_PUBLIC_URL", "ftp://shop", "http:// or https://"),
        ("FUGOU_CLOCK", "shared", "FUGOU_WECOM_API_BASE"),
    ],
)
def test_a_bad_setting_is_named_and_its_value_never_shown(  # S3
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(fugou_settings.BadSettings, match=says) as refused:
        fugou_settings.load(_env_file=None)
    assert "hunter2" not in str(refused.value)
    assert "short-and-secret" not in str(refused.value)


def test_missing_settings_are_all_named_in_one_sentence() -> None:
    with pytest.raises(fugou_settings.BadSettings, match=r"FUGOU_WECOM_CORP_ID, FUGOU_PUBLIC_URL"):
        fugou_settings.load(_env_file=None).require("wecom_corp_id", "public_url")


def test_no_secret_reaches_a_log_line() -> None:  # S3
    event = {"event": "GET https://x/cgi-bin/get?access_token=abc123&userid=u", "app_secret": "s3", "userid": "u"}
    masked = log.mask(None, "info", dict(event))
    assert masked == {
        "event": "GET https://x/cgi-bin/get?access_token=***&userid=u",
        "app_secret": "***",
        "userid": "u",
    }


def keyed(**keys: str) -> fugou_settings.Settings:
    return fugou_settings.load(**{name: SecretStr(value * 8) for name, value in keys.items()}, _env_file=None)


def test_personal_data_is_unreadable_without_the_key_and_survives_a_new_one() -> None:  # S1 S3
    sealed = Vault.new_key(keyed(secret_key="former"))
    vault = Vault.unseal(sealed, keyed(secret_key="former"))
    kept = vault.encrypt("13800001234")
    assert b"13800001234" not in kept
    assert Vault.unseal(sealed, keyed(secret_key="newer!", secret_key_old="former")).decrypt(kept) == "13800001234"
    with pytest.raises(fugou_settings.BadSettings, match="not the key this database was made with"):
        Vault.unseal(sealed, keyed(secret_key="others"))
    assert vault.lookup("a") == vault.lookup("a") != vault.lookup("b")


def test_a_signed_link_is_for_one_purpose_and_ends() -> None:  # S1
    vault = Vault(b"k" * 32)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    token = vault.sign("kf", 7, until=at)
    assert vault.read("kf", token, at - timedelta(seconds=1)) == 7
    for purpose, shown, moment in (
        ("login", token, at),
        ("kf", token, at),
        ("kf", token[:-1] + "A", at),
        ("kf", "é", at),
    ):
        with pytest.raises(ValueError, match=r"token of ours|expired"):
            vault.read(purpose, shown, moment)


def test_history_is_kept_for_all_at_once_and_nobody_acts_upon_it(session: Session) -> None:  # G4
    kept: list[list[int]] = []
    acted: list[int] = []

    def keep(session: Session, bought: Sequence[Bought]) -> None:
        kept.append([event.fen for event in bought])
        announce(session, Earned(customer_id=1, points=1))

    events.listeners.entries += [
        events.Ear(Bought, keep, keeps=True), events.Ear(Bought, lambda session, event: acted.append(event.fen)),
        events.Ear(Earned, lambda session, event: acted.append(event.points)),
    ]  # fmt: skip
    told = [Bought(customer_id=1, fen=200), Bought(customer_id=2, fen=300)]
    with events.history(session):
        announce_all(session, told)
    assert (kept, acted) == ([[200, 300]], [])
    announce_all(session, told)
    assert (kept[1:], acted) == ([[200], [300]], [1, 200, 1, 300])
