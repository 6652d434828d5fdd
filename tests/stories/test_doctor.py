"""`doctor` looks at all that an installation stands on: green, and red with a sentence that names what to change."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr
from shop import Shop

from bot import migrations
from bot.app.commands import doctor

Findings = Callable[..., dict[str, str]]
LOOKED_AT = ["settings", "FUGOU_PUBLIC_URL", "disk", "redis", "database", "secret key",
             "WeCom, 应用", "WeCom, 客户联系", "WeCom, 微信客服", *["callback"] * 3, "clock"]  # fmt: skip
OTHER_KEY = "z" * 42 + "0"


class LongAgo(BaseHTTPRequestHandler):
    """A WeCom whose clock stands at the beginning of 1970."""

    def do_GET(self) -> None:
        self.send_response_only(200)
        self.send_header("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def environment(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The shop's settings as environment variables, set, in a folder without .env."""
    installation = shop.installation
    urls = {"database_url": installation.database_url, "redis_url": installation.redis_url}
    given = {**installation.settings.model_dump(exclude_none=True, exclude_defaults=True), **urls}
    made = {
        f"FUGOU_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in given.items()
    }
    for name in [name for name in os.environ if name.startswith("FUGOU_")]:
        monkeypatch.delenv(name)
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def findings(environment: dict[str, str]) -> Findings:
    """What `doctor` finds wrong, by what it looked at; `settings` replace the shop's for this once."""

    def examine(**settings: str) -> dict[str, str]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(f"FUGOU_{name}", value)
            return {one.what: str(one) for one in doctor.examine() if one.mark == "FAIL"}

    return examine


def test_all_is_well_where_all_is_well(shop: Shop, environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bot.app.cli", "doctor"]
    done = subprocess.run(command, env={**os.environ, **environment}, cwd=tmp_path, capture_output=True, text=True,
                          timeout=60, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(LOOKED_AT)
    for line, name in zip(lines, LOOKED_AT, strict=True):
        assert line.startswith((f"ok   {name}", f"warn {name}")), done.stdout
    assert [line for line in lines if line.startswith("warn")] == [
        f"warn FUGOU_PUBLIC_URL {shop.url}：不是 https，登录会明文传输；请在前面放一个 TLS 代理 / "
        "not https, so logins travel in clear; put a TLS proxy in front"
    ]


WRONG = [
    ({"WECOM_APP_SECRET": ""}, "settings", "FUGOU_WECOM_APP_SECRET"),
    ({"WECOM_AGENT_ID": "1000009"}, "WeCom, 应用", "FUGOU_WECOM_AGENT_ID"),
    ({"WECOM_CORP_ID": "ww9999999999999999"}, "WeCom, 应用", "FUGOU_WECOM_CORP_ID"),
    (
        {"WECOM_CONTACT_SECRET": "wrong"},
        "WeCom, 客户联系",
        "已停用；见 FUGOU_WECOM_CONTACT_SECRET",
    ),
    ({"WECOM_KF_SECRET": "wrong"}, "WeCom, 微信客服", "FUGOU_WECOM_KF_SECRET"),
    ({"WECOM_API_BASE": "http://127.0.0.1:9/cgi-bin"}, "clock", "FUGOU_WECOM_API_BASE"),
    ({"PUBLIC_URL": "http://127.0.0.1:9"}, "callback http://127.0.0.1:9/wecom/callback/kf", "FUGOU_PUBLIC_URL"),
    ({"WECOM_KF_CALLBACK_AES_KEY": OTHER_KEY}, "callback", "FUGOU_WECOM_KF_CALLBACK_TOKEN / …_AES_KEY"),
    ({"WECOM_CONTACT_CALLBACK_TOKEN": "another"}, "callback", "FUGOU_WECOM_CONTACT_CALLBACK_TOKEN / …_AES_KEY"),
    ({"SECRET_KEY": "another key of more than 32 characters"}, "secret key", "FUGOU_SECRET_KEY 不是建库时的那一个"),
    ({"REDIS_URL": "redis://127.0.0.1:9/0"}, "redis", "FUGOU_REDIS_URL"),
    ({"DATABASE_URL": "postgresql+psycopg://127.0.0.1:9/x"}, "database", "FUGOU_DATABASE_URL"),
]


def test_what_is_wrong_is_one_line_that_names_the_setting(shop: Shop, findings: Findings) -> None:
    for wrong, what, said in WRONG:
        found = findings(**wrong)
        [line] = [line for name, line in found.items() if name.startswith(what)]
        assert line.startswith(f"FAIL {what}")
        assert said in line
        assert "\n" not in line
        assert re.search(r"[\u4e00-\u9fff].* / .*[a-z]", line), "in Chinese and in English"
    assert findings() == {}


def test_an_address_that_is_not_trusted_is_named_and_a_missing_right_too(shop: Shop, findings: Findings) -> None:
    shop.wecom.sim("POST", "apps", trusted_ips=["10.0.0.1"])  # 60020
    untrusted = findings()
    assert [name[:5] for name in untrusted] == ["WeCom"] * 3
    assert all("from ip: 127.0.0.1：服务器 IP 不在应用的企业可信 IP 中" in line for line in untrusted.values())
    shop.wecom.sim("POST", "apps", trusted_ips="all", rights=[])
    [no_contact, no_kf] = findings().values()
    assert no_contact.startswith("FAIL WeCom, 客户联系, 48002")
    assert no_kf.startswith("FAIL WeCom, 微信客服, 48007")
    assert "微信客服没有授权给此应用" in no_kf


def test_a_schema_that_is_behind_is_named_with_the_command(shop: Shop, findings: Findings) -> None:
    migrations.downgrade(shop.installation.engine, "-1")
    [line] = findings().values()
    assert line.startswith("FAIL database, schema ")
    assert line.endswith("：请运行 fugou db upgrade / run: fugou db upgrade")


def test_a_full_disk_and_a_clock_that_is_off_are_named(findings: Findings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE", 1 << 60)
    server = HTTPServer(("127.0.0.1", 0), LongAgo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        found = findings(WECOM_API_BASE=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    by_name = {name.split(",")[0]: line for name, line in found.items()}
    assert "请打开 NTP 校时 / turn on NTP" in by_name["clock"]
    assert "move FUGOU_DATA_DIR" in by_name["disk"]


def test_a_name_that_is_no_setting_is_mentioned(findings: Findings) -> None:
    Path(".env").write_text("# FUGOU_NOTHING=1\nFUGOU_WECOM_KF_SECRETE=x\n")
    assert findings() == {}
    said = [str(one) for one in doctor.examine() if "KF_SECRETE" in one.what or "NOTHING" in one.what]
    assert said == [
        "warn FUGOU_WECOM_KF_SECRETE：没有这个设置，见 docs/settings.md / no such setting, see docs/settings.md"
    ]
