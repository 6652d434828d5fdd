"""Everything read from outside at start: environment or `.env`, prefix `FUGOU_`; the names are the contract's.

A missing or malformed setting stops the start with one sentence that names it (`BadSettings`). What a brand edits while
the program runs is not here but in `bot.core.preferences`.
"""

import base64
import binascii
import json
from contextlib import suppress
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.core.errors import Refusal

WECOM_API = "https://qyapi.weixin.qq.com/cgi-bin/"
WECOM_OAUTH = "https://open.weixin.qq.com/connect/oauth2/authorize"
SECRET_KEY_LENGTH = 32, 1000  # 160 bits and more as text; `fugou init` writes 43 characters
PASSWORD_LENGTH = 8, 200  # ASVS 5.0, 6.2.1 and 6.2.9


class BadSettings(Refusal):
    """A setting is missing or malformed; the text names it, what was found (secrets masked) and what is expected."""


def _zone(name: str | ZoneInfo) -> ZoneInfo:
    try:
        return name if isinstance(name, ZoneInfo) else ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError("expected an IANA time zone such as Asia/Shanghai") from error


def _aes_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    try:
        if len(text) == 43 and len(base64.b64decode(text + "=", validate=True)) == 32:
            return value
    except binascii.Error:
        pass
    raise ValueError(f"expected the 43 letters and digits of WeCom's EncodingAESKey, found {len(text)} characters")


def _http_url(value: str) -> str:
    if not _is_url(value, "http", "https"):
        raise ValueError("expected an address that begins with http:// or https://, then a host")
    return value.rstrip("/")


def _redis_url(value: str) -> str:
    if not _is_url(value, "redis", "rediss") and not value.startswith("unix://"):
        raise ValueError("expected redis://host:6379/0, rediss://… or unix://path")
    return value


def _database_url(value: str) -> str:
    try:
        if make_url(value).drivername == "postgresql+psycopg":
            return value
    except (ArgumentError, ValueError):
        pass
    raise ValueError("expected postgresql+psycopg://user:password@host/name")


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(one.strip()) for one in value.split(",") if one.strip())
    except ValueError as error:
        raise ValueError("expected addresses or networks, such as 10.0.0.2, 172.16.0.0/12") from error


def _sms_body(value: str) -> str:
    with suppress(ValueError):
        if isinstance(json.loads(value), dict) and "{phone}" in value and "{text}" in value:
            return value
    raise ValueError("expected a JSON object with {phone} and {text} in its strings")


def _is_url(value: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and value == "".join(value.split())
    except ValueError:
        return False


def _wecoms(value: SecretStr) -> SecretStr:
    if any(character.isspace() for character in value.get_secret_value()):
        raise ValueError("expected WeCom's letters and digits, found a space among them")
    return value


def _of_length(low: int, high: int) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        found = len(value.get_secret_value())
        if not low <= found <= high:
            raise ValueError(f"expected {low} to {high} characters, found {found}")
        return value

    return AfterValidator(check)


HttpUrl = Annotated[str, AfterValidator(_http_url)]
AesKey = Annotated[SecretStr, AfterValidator(_aes_key)]
Token = Annotated[SecretStr, AfterValidator(_wecoms), _of_length(1, 32)]
Secret = Annotated[SecretStr, AfterValidator(_wecoms)]
Source = Literal["contact", "app", "kf"]


class Settings(BaseSettings):
    """The settings of one process; see the table in docs/settings.md for the meaning of each."""

    model_config = SettingsConfigDict(
        env_prefix="FUGOU_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Path("./data")
    database_url: Annotated[str, AfterValidator(_database_url)] | None = None
    redis_url: Annotated[str, AfterValidator(_redis_url)] | None = None
    secret_key: Annotated[SecretStr, _of_length(*SECRET_KEY_LENGTH)] | None = None
    secret_key_old: Annotated[SecretStr, _of_length(*SECRET_KEY_LENGTH)] | None = None  # read while keys rotate
    public_url: HttpUrl | None = None
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)] = ()
    timezone: Annotated[ZoneInfo, NoDecode, BeforeValidator(_zone)] = ZoneInfo("Asia/Shanghai")
    log_format: Literal["text", "json"] | None = None
    clock: Literal["system", "shared"] = "system"
    owner_password: Annotated[SecretStr, _of_length(*PASSWORD_LENGTH)] | None = None

    sms_url: HttpUrl | None = None
    sms_body: Annotated[str, AfterValidator(_sms_body)] = '{"phone": "{phone}", "text": "{text}"}'
    sms_token: SecretStr | None = None
    sms_ok: str = ""

    wecom_api_base: HttpUrl = WECOM_API.rstrip("/")
    wecom_oauth_url: HttpUrl = WECOM_OAUTH
    wecom_corp_id: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]+$")
    wecom_agent_id: int | None = Field(None, gt=0)
    wecom_app_secret: Secret | None = None
    wecom_contact_secret: Secret | None = None
    wecom_kf_secret: Secret | None = None
    wecom_callback_token: Token | None = None
    wecom_callback_aes_key: AesKey | None = None
    wecom_contact_callback_token: Token | None = None
    wecom_contact_callback_aes_key: AesKey | None = None
    wecom_kf_callback_token: Token | None = None
    wecom_kf_callback_aes_key: AesKey | None = None

    @model_validator(mode="after")
    def _virtual_time_never_meets_the_real_wecom(self) -> Self:
        if self.clock == "shared" and self.wecom_api_base == WECOM_API.rstrip("/"):
            raise ValueError("FUGOU_CLOCK=shared moves time and is for the simulator only; set FUGOU_WECOM_API_BASE")
        return self

    @cached_property
    def run_dir(self) -> Path:
        """Locks, sockets and the clock file of the processes that share `data_dir`."""
        return self.data_dir.resolve() / "run"

    def callback_keys(self, source: Source) -> tuple[str, str]:
        """Token and EncodingAESKey of one callback source; contact and kf fall back to the app's.

        Raises BadSettings where neither is set.
        """
        own = {"contact": ("contact_", self.wecom_contact_callback_token, self.wecom_contact_callback_aes_key),
               "kf": ("kf_", self.wecom_kf_callback_token, self.wecom_kf_callback_aes_key)}  # fmt: skip
        _, token, key = own.get(source, ("", None, None))
        token, key = token or self.wecom_callback_token, key or self.wecom_callback_aes_key
        if token is None or key is None:
            raise missing("wecom_callback_token", "wecom_callback_aes_key")
        return token.get_secret_value(), key.get_secret_value()

    def require(self, *names: str) -> None:
        """Raise BadSettings naming every one of `names` (field names) that is not set."""
        absent = [name for name in names if getattr(self, name) is None]
        if absent:
            raise missing(*absent)


WECOM_NEEDED = ("wecom_corp_id", "wecom_agent_id", "wecom_app_secret",
                "wecom_callback_token", "wecom_callback_aes_key", "public_url")  # fmt: skip


def missing(*names: str) -> BadSettings:
    listed = ", ".join(f"FUGOU_{name.upper()}" for name in names)
    return BadSettings(f"Not set: {listed}. Put {'it' if len(names) == 1 else 'them'} into the environment or .env")


def load(**overrides: object) -> Settings:
    """Read the settings once. Raises BadSettings with one sentence for each bad one, secrets masked."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks each
    except ValidationError as error:
        raise BadSettings("; ".join(_sentence(dict(one)) for one in error.errors())) from None


def _sentence(error: dict[str, object]) -> str:
    where = error["loc"]
    said = str(error["msg"]).removeprefix("Value error, ")
    if not isinstance(where, tuple) or not where:
        return said
    name = str(where[0])
    secret = any(word in name for word in ("secret", "token", "key", "password", "database_url", "redis_url"))
    found = "a value of another form (not shown)" if secret else repr(error["input"])
    return f"FUGOU_{name.upper()} is {found}: {said}"
