"""API keys, roles, passwords and the sealed audit (S2, S3)."""

import threading

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.core.errors import Conflict, NotFound, Unacceptable
from bot.core.installation import Installation
from bot.operators.accounts import add_operator, check_password, one_time_login, set_password
from bot.operators.audit import broken_seals, record_audit, seal
from bot.operators.keys import create_api_key, find_api_key, revoke_api_keys
from bot.operators.models import ApiKey, Operator
from bot.operators.roles import ROLES, role_allows, scopes_allow


def test_a_key_is_shown_once_and_kept_as_a_digest(session: Session) -> None:  # S2 S3
    token = create_api_key(session, "shop", ["orders:write"])
    key = session.scalars(select(ApiKey)).one()
    assert token.startswith("fugou_")
    assert token.encode() not in key.digest
    assert find_api_key(session, token) is key
    assert find_api_key(session, token + "x") is None


def test_a_revoked_key_opens_nothing(session: Session) -> None:  # S2
    token = create_api_key(session, "shop", ["all"])
    other = create_api_key(session, "till", ["all"])
    assert (revoke_api_keys(session, "shop"), revoke_api_keys(session, "shop")) == (1, 0)
    assert find_api_key(session, token) is None
    assert find_api_key(session, other) is not None
    with pytest.raises(NotFound):
        revoke_api_keys(session, "nobody")


@pytest.mark.parametrize("scopes", [[], ["orders"], ["orders:delete"], ["orders:write", "ALL"], ["*"]])
def test_a_scope_of_another_form_is_refused(session: Session, scopes: list[str]) -> None:  # S2
    with pytest.raises(Unacceptable):
        create_api_key(session, "shop", scopes)


def test_a_scope_gives_what_it_names_and_all_gives_everything() -> None:  # S2
    assert scopes_allow(["orders:write"], "orders:write")
    assert not scopes_allow(["orders:write"], "orders:read")
    assert not scopes_allow(["orders:write"], "customers:write")
    assert scopes_allow(["all"], "settings:write")


@pytest.mark.parametrize(
    ("permission", "who"),
    [
        ("console:read", {"owner", "operator", "staff", "analyst"}),
        ("customers:read", {"owner", "operator", "staff", "analyst"}),
        ("customers:write", {"owner", "operator"}),
        ("tags:write", {"owner", "operator", "staff"}),
        ("campaigns:read", {"owner", "operator", "analyst"}),
        ("settings:read", {"owner", "operator", "analyst"}),
        ("settings:write", {"owner"}),
        ("audit:read", {"owner"}),
        ("api-keys:write", {"owner"}),
    ],
)
def test_each_role_may_what_its_work_needs(permission: str, who: set[str]) -> None:  # S2
    assert {role for role in ROLES if role_allows(role, permission)} == who


def test_names_are_compared_in_lower_case_and_are_given_once(session: Session) -> None:  # S2
    add_operator(session, "Lily", "staff", "a long password")
    with pytest.raises(Conflict):
        add_operator(session, "LILY", "staff", "a long password")
    assert check_password(session, "lILy", "a long password") is not None


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [
        ("", "staff", "long enough"),
        ("a b", "staff", "long enough"),
        ("ann", "boss", "long enough"),
        ("ann", "staff", "short"),
    ],
)
def test_a_bad_name_role_or_password_is_refused(session: Session, name: str, role: str, password: str) -> None:  # S2
    with pytest.raises(Unacceptable):
        add_operator(session, name, role, password)
    assert session.scalars(select(Operator)).all() == []


def test_passwords_are_kept_by_argon2id_and_never_in_the_audit(session: Session) -> None:  # S2 S3
    operator = add_operator(session, "ann", "staff", "a long password")
    assert operator.password_hash is not None
    assert operator.password_hash.startswith("$argon2id$")
    set_password(session, operator, "another password")
    assert check_password(session, "ann", "a long password") is None
    assert check_password(session, "ann", "another password") is operator
    assert check_password(session, "nobody", "another password") is None


def test_an_account_without_a_password_is_opened_by_a_link_only(session: Session) -> None:  # S2
    add_operator(session, "owner", "owner")
    assert check_password(session, "owner", "") is None
    assert one_time_login(session, "owner")
    with pytest.raises(NotFound):
        one_time_login(session, "nobody")


def test_the_audit_only_grows(installation: Installation) -> None:  # S2 S3
    with installation.transaction("operator:1") as session:
        record_audit(session, "setting.changed", "quiet_hours", None, {"from": "21:30"})
    for change in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(DBAPIError, match="only grows"), installation.transaction("test") as session:
            session.execute(text(change))


def test_a_seal_covers_the_rows_since_the_last_one_and_shows_what_was_changed(installation: Installation) -> None:  # S2
    for n in range(3):
        with installation.transaction("operator:1") as session:
            record_audit(session, "setting.changed", f"setting {n}", n, n + 1)
        with installation.transaction("job:seal") as session:
            assert seal(session) == 1
            assert seal(session) == 0
    with installation.transaction("test") as session:
        assert broken_seals(session) == []
        session.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_only_grows"))
        session.execute(text("UPDATE audit SET after = '9' WHERE target = 'setting 1'"))
        session.expire_all()
        assert [sentence.split(" are ")[0] for sentence in broken_seals(session)] == ["audit rows 2 to 2"]


def test_sealing_waits_for_writers_and_misses_none_of_their_rows(installation: Installation) -> None:  # S2
    wrote, may_end = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with installation.transaction("operator:1") as session:
            record_audit(session, "setting.changed", "early id, late commit")
            wrote.set()
            may_end.wait(10)

    slow = threading.Thread(target=write_slowly)
    slow.start()
    assert wrote.wait(10)
    with installation.transaction("operator:2") as session:
        record_audit(session, "setting.changed", "late id, early commit")
    with installation.transaction("job:seal") as session:
        assert seal(session) == 0
    may_end.set()
    slow.join(10)
    with installation.transaction("job:seal") as session:
        assert seal(session) == 2
