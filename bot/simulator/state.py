"""A whole corp in one object, and the file it is kept in."""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.simulator.records import (
    App,
    AppMessage,
    Customer,
    GroupChat,
    GroupWelcome,
    JoinWay,
    KfAccount,
    KfCode,
    KfLink,
    KfToken,
    MassSend,
    Media,
    Member,
    Moment,
    OAuthCode,
    Received,
    Resigned,
    Tag,
    TagGroup,
    Token,
    Transfer,
    Way,
    WelcomeCode,
)

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass
class State:
    """A whole corp. `main` is the secret the simulator was started with, whose app owns the callback."""

    corp_id: str
    main: str
    apps: dict[str, App] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    resigned: dict[str, Resigned] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)
    customers: dict[str, Customer] = field(default_factory=dict)
    welcome_codes: dict[str, WelcomeCode] = field(default_factory=dict)
    tag_groups: dict[str, TagGroup] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    pictures: dict[str, Media] = field(default_factory=dict)
    app_messages: dict[str, AppMessage] = field(default_factory=dict)
    oauth_codes: dict[str, OAuthCode] = field(default_factory=dict)
    kf_accounts: dict[str, KfAccount] = field(default_factory=dict)
    kf_tokens: dict[str, KfToken] = field(default_factory=dict)
    kf_codes: dict[str, KfCode] = field(default_factory=dict)
    kf_links: dict[str, KfLink] = field(default_factory=dict)
    groups: dict[str, GroupChat] = field(default_factory=dict)
    join_ways: dict[str, JoinWay] = field(default_factory=dict)
    group_welcomes: dict[str, GroupWelcome] = field(default_factory=dict)
    mass_sends: dict[str, MassSend] = field(default_factory=dict)
    mass_received: dict[str, list[float]] = field(default_factory=dict)
    mass_quota: Literal["month", "week", "day"] = "month"
    moments: dict[str, Moment] = field(default_factory=dict)
    inbox: dict[str, list[Received]] = field(default_factory=dict)
    version: Literal[1] = 1


@cache
def _adapter() -> "TypeAdapter[State]":
    """Built only where a file is asked for: it costs more than the rest of a start."""
    from pydantic import TypeAdapter

    return TypeAdapter(State)


def load(file: Path) -> State | None:
    """The corp in `file`, None where there is no file yet. Raises ValueError where it is not one of ours."""
    return _adapter().validate_json(file.read_bytes()) if file.exists() else None


def save(state: State, file: Path) -> None:
    """Write the corp to `file` in one step, so that a kill leaves the old one."""
    fresh = file.with_suffix(file.suffix + ".new")
    fresh.write_bytes(_adapter().dump_json(state, indent=1))
    os.replace(fresh, file)
