"""Commands as a person types them, with good and bad words: it is done, or one sentence says what is wrong."""

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from running import FUGOU, PATIENCE_SECONDS

from bot import migrations
from bot.app import cli
from bot.core.installation import Installation
from bot.core.settings import Settings

Run = Callable[..., tuple[int, str, str]]
WHOLE = {
    "SECRET_KEY": "a secret key for tests, long enough to be one", "PUBLIC_URL": "https://fugou.test",
    "WECOM_CORP_ID": "ww0123456789abcdef", "WECOM_AGENT_ID": "1000002", "WECOM_APP_SECRET": "app-secret",
    "WECOM_CALLBACK_TOKEN": "callbackToken", "WECOM_CALLBACK_AES_KEY": "k" * 42 + "0",
}  # fmt: skip
BAD = [
    ("DATA_DIR", "/dev/null/data"), ("DATABASE_URL", "mysql://user:hidden@host/name"),
    ("DATABASE_URL", "postgresql+psycopg://user:hidden@host:port/name"),
    ("DATABASE_URL", "postgresql+psycopg://user:hidden@127.0.0.1:9/name"),
    ("REDIS_URL", "http://hidden@host"), ("REDIS_URL", "redis://:hidden@host:port"),
    ("SECRET_KEY", "hidden"), ("SECRET_KEY_OLD", "hidden"), ("PUBLIC_URL", "fugou.test"), ("PUBLIC_URL", "https://"),
    ("TRUSTED_PROXIES", "10.0.0.1/8"), ("TRUSTED_PROXIES", "proxy"),
    ("TIMEZONE", "Mars/Olympus"), ("OWNER_PASSWORD", "hidden"), ("LOG_FORMAT", "xml"), ("CLOCK", "virtual"),
    ("CLOCK", "shared"), ("WECOM_CORP_ID", "ww 1"), ("WECOM_AGENT_ID", "one"), ("WECOM_AGENT_ID", "0"),
    *((f"WECOM_{name}SECRET", "hidden secret") for name in ("APP_", "CONTACT_", "KF_")),
    *((f"WECOM_{name}CALLBACK_TOKEN", "hidden" * 6) for name in ("", "CONTACT_", "KF_")),
    *((f"WECOM_{name}CALLBACK_AES_KEY", "hidden") for name in ("", "CONTACT_", "KF_")),
    ("SMS_URL", "ftp://sms"), ("SMS_BODY", "{phone} {text}"),
    ("WECOM_API_BASE", "ftp://wecom"), ("WECOM_OAUTH_URL", "https://wecom:oauth/"),
]  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """`fugou` with these words, settings and standard input, in a folder of its own: status, output, errors."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("FUGOU_"):
            monkeypatch.delenv(name)
    before, logs = signal.getsignal(signal.SIGTERM), structlog.get_config()

    def fugou(*words: str, stdin: str = "", **settings: str) -> tuple[int, str, str]:
        for name, value in settings.items():
            monkeypatch.setenv(f"FUGOU_{name}", value)
        monkeypatch.setattr(sys, "argv", ["fugou", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    yield fugou
    signal.signal(signal.SIGTERM, before)
    structlog.configure(**logs)


@pytest.fixture
def here(run: Run, installation: Installation) -> Run:
    """The same on a migrated database."""
    run("--version", **WHOLE, DATABASE_URL=installation.database_url, REDIS_URL=installation.redis_url)
    return run


@pytest.mark.parametrize(("name", "value"), BAD)
def test_up_names_a_wrong_setting_in_one_sentence_and_starts_nothing(  # S3
    run: Run, tmp_path: Path, name: str, value: str
) -> None:
    status, out, said = run("up", "--port", "0", **{**WHOLE, "REDIS_URL": "unix:///nowhere", name: value})
    assert (status, out, said.count("\n")) == (1, "", 1), said
    assert said.startswith("fugou: ")
    assert f"FUGOU_{name}" in said
    assert "hidden" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_up_names_a_missing_setting_in_one_sentence_and_starts_nothing(run: Run, tmp_path: Path, name: str) -> None:
    given = {known: value for known, value in WHOLE.items() if known != name}
    said = f"fugou: Not set: FUGOU_{name}. Put it into the environment or .env\n"
    assert run("up", **given) == (1, "", said)
    assert list(tmp_path.iterdir()) == []


def test_every_setting_has_a_wrong_value_here() -> None:
    anything = {"sms_ok", "sms_token"}  # a provider's own words
    assert {name.lower() for name, _ in BAD} == set(Settings.model_fields) - anything


def test_an_operator_is_added_once_with_a_role_and_a_password(here: Run) -> None:
    add = ("operator", "add", "bob", "--role", "staff")
    assert here(*add, "--password-stdin", stdin="long enough\n") == (0, "", "account bob made, as staff\n")
    again = here(*add, "--password-stdin", stdin="long enough\n")
    assert again == (1, "", "fugou: there is already an operator named bob\n")
    assert here(*add) == (1, "", "fugou: there is no terminal to ask for the password; give it by --password-stdin\n")
    short = here("operator", "add", "eve", "--role", "staff", "--password-stdin", stdin="short\n")
    assert short == (1, "", "fugou: the password has 5 characters, expected 8 to 200\n")
    status, _, said = here("operator", "add", "eve", "--role", "king")
    assert (status, "'king' is not one of" in said) == (2, True)


def test_a_key_is_alone_on_standard_output_and_a_scope_nobody_asks_for_is_mentioned(here: Run) -> None:
    status, key, said = here("apikey", "create", "shop", "--scope", "orders:write", "--scope", "customers:read")
    assert (status, bool(re.fullmatch(r"fugou_\S{40,}\n", key)), said) == (0, True, "")
    status, key, said = here("apikey", "create", "shop", "--scope", "order:write")
    assert (status, key.startswith("fugou_")) == (0, True)
    assert said == "fugou: nothing here asks for order:write; is it misspelt?\n"
    status, key, said = here("apikey", "create", "shop", "--scope", "everything")
    assert (status, key) == (1, "")
    assert "expected <resource>:read, <resource>:write or all" in said
    assert here("apikey", "create", "shop")[0] == 2


def test_keys_are_listed_without_themselves_and_revoked_by_name(here: Run) -> None:  # S2 S3
    key = here("apikey", "create", "shop", "--scope", "orders:write")[1].strip()
    assert here("apikey", "revoke", "shop") == (0, "", "keys called shop revoked now: 1\n")
    here("apikey", "create", "till", "--scope", "all")
    status, listed, said = here("apikey", "list")
    rows = [line.split("\t") for line in listed.splitlines()]
    assert (status, said, [(row[0], row[1], row[3].split()[0]) for row in rows]) == (
        0, "", [("shop", "orders:write", "revoked"), ("till", "all", "in")]
    )  # fmt: skip
    assert key not in listed
    nobody = here("apikey", "revoke", "nobody")
    assert nobody == (1, "", "fugou: there is no API key named nobody; fugou apikey list shows all\n")


def test_init_asks_for_an_address_until_it_is_one(run: Run, tmp_path: Path) -> None:
    status, said, _ = run("init", stdin="not an address\n")
    assert (status, "expected an address that begins with http:// or https://" in said) == (130, True)
    assert not (tmp_path / ".env").exists()


def test_the_schema_moves_where_it_is_told_and_refuses_what_is_no_schema(here: Run) -> None:
    newest = migrations.newest()
    older = f"{int(newest) - 1:04}"
    assert here("db", "downgrade", "-1") == (0, f"{older}\n", "")
    assert here("db", "current") == (0, f"{older} (newest: {newest})\n", "")
    refused = f"fugou: the database stands at {older}, it needs {newest}; run: fugou db upgrade\n"
    assert here("verify") == (1, "", refused)
    assert here("db", "upgrade") == (0, f"{newest}\n", "")
    for words in (("upgrade", "9999"), ("downgrade", "nonsense")):
        status, out, said = here("db", *words)
        assert (status, out, said.count("\n")) == (1, "", 1)
        assert said.startswith(f"fugou: the schema can't be moved to {words[1]}: ")
    assert here("db", "downgrade")[0] == 2


def test_the_simulator_says_at_once_what_it_could_not_do_later(run: Run, tmp_path: Path) -> None:
    corp = ("simulator", "--port", "0", "--corp-id", "ww1", "--secret", "s")
    status, _, said = run(*corp, "--data", str(tmp_path / "missing" / "corp.json"))
    assert (status, said) == (
        1, f"fugou: {tmp_path}/missing is no folder, so the corp could not be written to corp.json at stop\n"
    )  # fmt: skip
    status, _, said = run(*corp, "--callback-url", "http://x", "--token", "t", "--aes-key", "short")
    assert (status, said) == (1, "fugou: the EncodingAESKey has 5 characters, expected 43\n")
    assert run(*corp, "--callback-url", "http://x")[0] == 2


def test_init_writes_chinese_first_and_names_the_next_step_in_both_languages(folder: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("FUGOU_")}

    def init() -> subprocess.CompletedProcess[str]:
        return subprocess.run([*FUGOU, "init", "--yes"], env=bare, cwd=folder, text=True, capture_output=True,
                              timeout=PATIENCE_SECONDS, check=False)  # fmt: skip

    done, again = init(), init()
    assert (done.returncode, done.stderr, again.returncode) == (0, "", 0)
    file = folder / ".env"
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    said = [line for line in file.read_text().splitlines() if line.startswith("# ")]
    assert len(said) == 8, said
    assert all(re.match(r"# [^/]*[\u4e00-\u9fff].* / .*[A-Za-z]", line) for line in said), said
    assert re.search(r"^FUGOU_SECRET_KEY=\S{43}$", file.read_text(), re.MULTILINE)
    assert re.search(r"/console/login/\S{40,}$", done.stdout, re.MULTILINE)
    assert "账号 owner 已经有了 / the account owner exists already" in again.stdout
    assert again.stdout.splitlines()[-1].startswith("下一步：填好 .env 里的 FUGOU_WECOM_CORP_ID、")
    assert again.stdout.endswith("in .env, then run fugou up, and beside it fugou doctor and fugou sync\n")
