"""Which welcome an adding gets (W1), and what WeCom lets us write (W7)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, sampled_from, text

from handlers.messaging import rules as messaging
from handlers.welcome.rules import Case, Hours, Rule, When, choose, in_slot

SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY_EVENING = datetime(2026, 11, 27, 22, 0, tzinfo=SHANGHAI)
NIGHT = Hours(time(21), time(2))


def case(**other: object) -> Case:
    return Case(**{"live_code_id": 5, "userid": "lily", "customer": "new", "at": FRIDAY_EVENING, **other})  # type: ignore[arg-type]


EVERY_CONDITION = [
    When(),
    When(weekdays=(5,)),
    When(customer="new"),
    When(staff=("lily", "leo")),
    When(live_code_id=5),
]


@pytest.mark.parametrize("n", range(len(EVERY_CONDITION)))
def test_a_live_code_goes_before_a_member_before_newness_before_a_time_before_the_default(n: int) -> None:  # W1
    known = [Rule(100 - at, when) for at, when in enumerate(EVERY_CONDITION[: n + 1])]
    assert choose(known, case()) == known[-1]


def test_of_two_rules_for_the_same_code_the_one_that_says_more_speaks_and_else_the_later() -> None:  # W1
    plain, later, evening = Rule(1, When(live_code_id=5)), Rule(2, When(live_code_id=5)), Rule(0, When(5, hours=NIGHT))
    assert choose([plain, evening, later], case()) == evening
    assert choose([later, plain], case()) == later


OTHERS = [
    When(live_code_id=6), When(staff=("leo",)), When(customer="lapsed"), When(weekdays=(6,)),
    When(hours=Hours(time(9), time(21))),
]  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_a_rule_of_which_one_thing_is_not_so_is_silent(other: When) -> None:  # W1
    assert choose([Rule(1, other)], case()) is None


def test_a_lapsed_customer_is_a_returning_one_unless_a_rule_speaks_to_the_lapsed() -> None:  # W1
    returning, lapsed, new = (
        Rule(1, When(customer="returning")),
        Rule(2, When(customer="lapsed")),
        Rule(3, When(customer="new")),
    )
    assert choose([returning, new], case(customer="lapsed")) == returning
    assert choose([lapsed, returning, new], case(customer="lapsed")) == lapsed
    assert choose([lapsed, returning, new], case(customer="returning")) == returning


@pytest.mark.parametrize(
    ("at", "inside"),
    [("2026-11-27T20:59:59", False), ("2026-11-27T21:00:00", True), ("2026-11-27T23:59:59", True),
     ("2026-11-28T00:00:00", True), ("2026-11-28T01:59:59", True), ("2026-11-28T02:00:00", False)],
)  # fmt: skip
def test_a_night_that_begins_on_friday_ends_on_saturday_morning(at: str, inside: bool) -> None:  # W1 G2
    local = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    assert in_slot((5,), NIGHT, local) is inside
    assert in_slot((6,), NIGHT, local) is False


def test_a_slot_until_midnight_ends_with_the_day() -> None:  # W1
    evening = Hours(time(18), time(0))
    assert in_slot((5,), evening, FRIDAY_EVENING)
    assert not in_slot((5,), evening, datetime(2026, 11, 28, 0, 0, tzinfo=SHANGHAI))


@given(integers(0, 23), integers(0, 59), integers(0, 23), integers(0, 59), integers(0, 24 * 60 - 1))
def test_a_slot_and_its_opposite_share_the_day_without_gap_or_overlap(
    a: int, b: int, c: int, d: int, minute: int
) -> None:  # W1
    start, until = time(a, b), time(c, d)
    at = datetime(2026, 11, 27, tzinfo=SHANGHAI) + timedelta(minutes=minute)
    if start != until:
        assert in_slot((), Hours(start, until), at) is not in_slot((), Hours(until, start), at)


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "sent", "room"), [(0, 0, 5), (0, 4, 1), (0, 5, 0), (0, 6, 0), (47.99, 0, 5), (48, 0, 0), (-1, 0, 0)]
)
def test_five_messages_within_48_hours_of_her_last_one(hours: float, sent: int, room: int) -> None:  # W7
    assert messaging.room(NOW - timedelta(hours=hours), sent, NOW) == room


@given(text(sampled_from("a，汉😀\n"), max_size=400), integers(8, 200))
def test_pieces_are_the_text_in_order_each_within_the_limit(whole: str, most: int) -> None:  # W7
    parts = list(messaging.pieces(whole, most))
    assert all(len(part.encode()) <= most for part in parts)
    assert "".join(parts).replace("\n", "") == whole.replace("\n", "")


@given(text(sampled_from("a汉😀"), max_size=100), integers(3, 60))
def test_a_cut_text_fits_and_says_that_it_was_cut(whole: str, most: int) -> None:  # W7
    cut = messaging.fit(whole, most)
    assert len(cut.encode()) <= most
    assert cut == whole or (cut.endswith("…") and whole.startswith(cut[:-1]))


@given(lists(sampled_from(["lily", "leo", "mia"]), unique=True, min_size=1), integers(0, 4), integers(0, 4))
def test_a_code_leads_past_those_who_had_their_share_and_never_to_nobody(
    staff: list[str], lily: int, cap: int
) -> None:  # F1
    from handlers.livecodes.rules import on_duty

    duty = on_duty(staff, {"lily": lily}, cap or None)
    assert duty
    assert ("lily" in duty) is ("lily" in staff and (cap == 0 or lily < cap or staff == ["lily"]))


TWENTY = "一二三四五六七八九十一二三四五六七八九十"


@pytest.mark.parametrize(
    ("name", "channel", "remark"),
    [("Anna", "门店A", "Anna-门店A"), ("", "门店A", "门店A"), (TWENTY, "门店A", TWENTY[:16] + "-门店A")],
)
def test_a_remark_carries_the_channel_in_20_characters(name: str, channel: str, remark: str) -> None:  # F1
    from handlers.livecodes.rules import remark as made

    assert made(name, channel) == remark
    assert len(made(name, channel)) <= 20
