"""Which welcome an adding gets: live code, then member, then new, returning or lapsed, then time slot (W1). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

# WeCom's codes of send_welcome_msg, wecom.md §3.7
CODE_OVER = 41050
CHATTING = 41051  # they are chatting, or another app's welcome was delivered
OTHER_SENDS = 41096
MEDIA_OVER = 40007  # an upload ended before its three days
ANOTHER_FIRST = frozenset({CHATTING, OTHER_SENDS})
ASSIGNED = 202  # add_way: an administrator gave her to the member


@dataclass(frozen=True)
class Hours:
    """From one time of day until, not including, another; past midnight where `until` is not later than `start`."""

    start: time
    until: time


@dataclass(frozen=True)
class When:
    """What has to be so; what is empty or None may be anything. weekdays: 1 Monday to 7 Sunday."""

    live_code_id: int | None = None
    staff: tuple[str, ...] = ()
    customer: str | None = None
    weekdays: tuple[int, ...] = ()
    hours: Hours | None = None


@dataclass(frozen=True)
class Rule:
    """A rule as it is chosen; of two that are equally close the later one, with the larger id."""

    id: int
    when: When


@dataclass(frozen=True)
class Case:
    """An adding. customer: new, returning or lapsed. at: its time in the brand's zone."""

    live_code_id: int | None
    userid: str
    customer: str
    at: datetime


def choose(rules: Iterable[Rule], case: Case) -> Rule | None:
    """The closest of the rules that apply; None where none does, and the built-in welcome speaks."""
    return max((rule for rule in rules if applies(rule.when, case)), key=_closeness, default=None)


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """The rules as they are asked: the closest first, the default last."""
    return sorted(rules, key=_closeness, reverse=True)


def applies(when: When, case: Case) -> bool:
    """Whether all that a rule asks for is so. A lapsed customer is a returning one too."""
    return (
        when.live_code_id in (None, case.live_code_id)
        and (not when.staff or case.userid in when.staff)
        and (when.customer in (None, case.customer) or (when.customer == "returning" and case.customer == "lapsed"))
        and in_slot(when.weekdays, when.hours, case.at)
    )


def in_slot(weekdays: Sequence[int], hours: Hours | None, at: datetime) -> bool:
    """Whether a local time is in a slot; the hours after midnight belong to the weekday on which the slot began."""
    day = at
    if hours is not None:
        over_midnight = hours.until <= hours.start
        clock = at.time()
        if over_midnight and clock < hours.until:
            day = at - timedelta(days=1)
        elif clock < hours.start or (not over_midnight and clock >= hours.until):
            return False
    return not weekdays or day.isoweekday() in weekdays


def late_reason(errcode: int | None) -> str:
    """Why a welcome could not go by its code, in the words of C9."""
    return "another_first" if errcode in ANOTHER_FIRST else "late"


def _closeness(rule: Rule) -> tuple[bool, bool, int, bool, int]:
    when = rule.when
    customer = 2 if when.customer == "lapsed" else int(when.customer is not None)
    timed = bool(when.weekdays) or when.hours is not None
    return when.live_code_id is not None, bool(when.staff), customer, timed, rule.id
