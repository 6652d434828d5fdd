"""`backup` under load and `restore` elsewhere: the same customers and balances, or one sentence and nothing changed."""

import io
import itertools
import json
import os
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from deeds.driver import until
from PIL import Image
from running import FUGOU, Shop, answers, fugou, inside, settings_of, shop
from sqlalchemy import text

from bot import migrations
from bot.app.commands import backup
from bot.core import clock
from bot.core.crypto import fingerprint
from bot.core.errors import Refusal
from bot.core.servers import private_servers
from bot.wecom import outbox
from bot.wecom.client import wecom_of

BALANCES = """
    SELECT c.id, c.name, c.phone, a.balance, (
        SELECT sum(e.points) FROM points_entries e WHERE e.customer_id = c.id AND e.account IN ('lot', 'debt')
    )
    FROM customers c LEFT JOIN points_accounts a ON a.customer_id = c.id ORDER BY c.id
"""
_numbers = itertools.count()


@pytest.fixture(scope="module")
def town() -> Iterator[Shop]:
    with shop() as made:
        yield made


@pytest.fixture(scope="module")
def copy(town: Shop) -> Path:
    """A backup of the shop that was written while customers came and ordered."""
    file = town.running.data.with_name("under-load.tar")
    with town.customers() as come:
        until(lambda: len(come) > 15)
        done = town.fugou("backup", str(file))
        assert (done.returncode, done.stderr) == (0, "")
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    return file


@pytest.fixture
def nothing(town: Shop) -> Iterator[dict[str, str]]:
    """The environment of a second installation beside the shop, with nothing in it yet."""
    made = {**town.environment, "FUGOU_DATA_DIR": str(town.running.data.with_name(f"elsewhere{next(_numbers)}"))}
    with private_servers(settings_of(made)):  # else each command starts and stops them
        yield made


@pytest.fixture
def elsewhere(copy: Path, nothing: dict[str, str]) -> dict[str, str]:
    """The same with the copy restored into it."""
    done = fugou(nothing, "restore", str(copy))
    assert done.returncode == 0, done.stderr
    assert "ok   points: every transaction has two entries or more, which sum to 0" in done.stdout
    return nothing


def people(environment: dict[str, str]) -> list[tuple[Any, ...]]:
    """Customers with what they have, phone numbers as they read with the installation's key."""
    with inside(environment) as installation, installation.transaction("test") as session:
        rows = [tuple(row) for row in session.execute(text(BALANCES))]
        return [(*row[:2], row[2] and installation.vault.decrypt(bytes(row[2])), *row[3:]) for row in rows]


def remade(copy: Path, name: str, dump: bytes | None = None, **manifest: str) -> Path:
    """The copy once more, with another manifest or another dump."""
    file = copy.with_name(f"{name}.tar")
    with tarfile.open(copy) as tar, tarfile.open(file, "w") as made:
        parts = {one: tar.extractfile(one).read() for one in ("manifest.json", "database.dump")}  # type: ignore[union-attr]
        parts["database.dump"] = dump or parts["database.dump"]
        about = {**json.loads(parts["manifest.json"]), "sha256": fingerprint(parts["database.dump"]), **manifest}
        parts["manifest.json"] = json.dumps(about).encode()
        for one, content in parts.items():
            (header := tarfile.TarInfo(one)).size = len(content)
            made.addfile(header, io.BytesIO(content))
    return file


def test_a_backup_under_load_restored_elsewhere_is_whole_and_of_one_moment(
    town: Shop, elsewhere: dict[str, str]
) -> None:
    assert fugou(elsewhere, "verify").returncode == 0
    there = people(elsewhere)
    assert len(there) > 15
    known = {row[:2] for row in people(town.environment)}
    assert {row[:2] for row in there} <= known, "the copy has nobody whom the shop does not know"


def test_a_copy_made_at_rest_holds_the_same_customers_balances_phones_and_files(
    town: Shop, nothing: dict[str, str]
) -> None:
    file = town.running.data.with_name("at-rest.tar")
    her = town.phone.add_contact("Anna")
    until(lambda: town.added(her) == 1)
    town.api.patch(f"/customers/{town.api.customer(her)['id']}", {"phone": "13800138000"})
    Image.new("RGB", (4, 4)).save(poster := io.BytesIO(), "PNG")
    done = town.api.call("POST", "/materials", data={"name": "海报"}, files={"file": ("海报.png", poster.getvalue())})
    assert done.status_code == 201
    until(lambda: town.scalar("SELECT count(*) FROM inbox WHERE done_at IS NULL") == 0)
    assert town.fugou("backup", str(file)).returncode == 0
    here = people(town.environment)
    assert [row[2] for row in here if row[1] == "Anna"] == ["+8613800138000"]
    done = fugou(nothing, "restore", str(file))
    assert done.returncode == 0, done.stderr
    assert people(nothing) == here
    kept = [each.read_bytes() for each in Path(nothing["FUGOU_DATA_DIR"], "uploads").rglob("*") if each.is_file()]
    assert kept == [poster.getvalue()]


def test_restore_says_why_it_refuses_and_changes_nothing(town: Shop, copy: Path, elsewhere: dict[str, str]) -> None:
    newer = remade(copy, "newer", schema="9999")
    garbled = remade(copy, "garbled", dump=b"PGDMP and nothing more")
    whole = copy.read_bytes()
    (cut := copy.with_name("cut.tar")).write_bytes(whole[: len(whole) // 2])
    at = len(whole) // 2
    (damaged := copy.with_name("damaged.tar")).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    (stranger := copy.with_name("stranger.tar")).write_text("not a tar")
    before = people(elsewhere)
    refusals = [
        (newer, {}, f"of schema 9999, newer than this program's {migrations.newest()}"),
        (cut, {}, "cut.tar is not a whole backup of fugou"),
        (damaged, {}, "damaged.tar is damaged"),
        (stranger, {}, "stranger.tar is not a whole backup of fugou"),
        (garbled, {}, "the dump could not be read back: pg_restore: error"),
        (copy, {"FUGOU_SECRET_KEY": "another key of more than 32 characters"},
         "was made with another FUGOU_SECRET_KEY, so its personal data can't be read"),
    ]  # fmt: skip
    for file, changed_settings, said in refusals:
        with inside({**elsewhere, **changed_settings}) as installation, pytest.raises(Refusal, match=said):
            backup.read(installation, file, force=True)
    commands = [
        (elsewhere, [], "the database is not empty; --force replaces what it holds. Nothing was changed"),
        (town.environment, ["--force"], "the database is in use; stop `fugou up` and what else uses it first. Nothing"),
    ]
    for environment, options, said in commands:
        done = fugou(environment, "restore", str(copy), *options)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert done.stderr.startswith(f"fugou: {said}")
    assert people(elsewhere) == before
    assert answers(town.running.url)


def test_a_copy_of_an_older_schema_is_brought_up_to_date(copy: Path, elsewhere: dict[str, str]) -> None:
    file = copy.with_name("older.tar")
    with inside(elsewhere) as installation:
        migrations.downgrade(installation.engine, "-1")
        older = migrations.current(installation.engine)
        backup.write(installation, file)  # one wants a copy before `db upgrade`
    done = fugou(elsewhere, "restore", "--force", str(file))
    assert done.returncode == 0, done.stderr
    assert f"schema {older}, now {migrations.newest()}" in done.stdout
    with inside(elsewhere) as installation:
        assert migrations.current(installation.engine) == migrations.newest()


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_backup_cut_short_leaves_the_former_file_and_none_that_looks_whole(
    town: Shop, tmp_path: Path, sign: signal.Signals
) -> None:
    file = tmp_path / "copy.tar"
    file.write_text("the former one")
    dumping = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump'"
    with town.installation.transaction("test") as session:
        session.execute(text("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"))  # so that the dump stands still
        with subprocess.Popen([*FUGOU, "backup", str(file)], env=town.environment, cwd=tmp_path) as process:
            until(lambda: town.scalar(dumping))
            os.kill(process.pid, sign)
            assert process.wait() == {signal.SIGKILL: -9, signal.SIGTERM: 143}[sign]
    until(lambda: not town.scalar(dumping))
    assert file.read_text() == "the former one"
    left = [each.name for each in tmp_path.iterdir() if each != file]
    assert all(name.endswith(".part") for name in left)
    assert sign == signal.SIGKILL or left == []


def test_what_waited_when_the_copy_was_made_is_not_sent_unasked(
    copy: Path, elsewhere: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:  # B3
    file = copy.with_name("waiting.tar")
    with inside(elsewhere) as installation, installation.transaction("test") as session:
        answer = {"code": "C", "msgid": "M", "msgtype": "text", "text": {"content": "你好"}}
        for dedupe, ahead in (("due", timedelta()), ("later", timedelta(days=1))):
            outbox.post(session, "kf_send_msg_on_event", answer, purpose="answer", dedupe=dedupe,
                        not_before=clock.now() + ahead)  # fmt: skip
    assert fugou(elsewhere, "backup", str(file)).returncode == 0
    assert fugou(elsewhere, "restore", "--force", str(file)).returncode == 0
    monkeypatch.setattr(outbox, "LOST_AFTER", timedelta())
    with inside(elsewhere) as installation:
        outbox.settle_lost(installation, wecom_of(installation))
        with installation.transaction("test") as session:
            rows = session.execute(text("SELECT dedupe, state FROM outbox WHERE dedupe IN ('due', 'later')")).all()
    assert dict(rows) == {"due": "unknown", "later": "waiting"}
