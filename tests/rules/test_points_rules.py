"""The arithmetic of points against P1 and P2 as they are written, in exact fractions and by the calendar."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.points import rules
from handlers.points.rules import Claim, Step

SHANGHAI = ZoneInfo("Asia/Shanghai")
P2 = (Step(10_000, 100), Step(30_000, 150), Step(50_000, 200))
FEN = st.integers(0, 200_000)


def rate(net_fen: int) -> Fraction:
    """P2: from ¥100: 1 %, from ¥300: 1.5 %, from ¥500: 2 %, below: 0."""
    yuan = Fraction(net_fen, 100)
    return Fraction(2, 100) if yuan >= 500 else Fraction(3, 200) if yuan >= 300 else Fraction(yuan >= 100) / 100


@given(st.lists(st.tuples(FEN, st.fractions(0, 1)), max_size=12))
def test_grants_always_sum_to_the_floor_of_net_times_rate(orders: list[tuple[int, Fraction]]) -> None:  # P2 G1
    net = granted = 0
    for paid, share in orders:
        for change in (paid, -floor(paid * share)):
            granted += rules.base_points(net + change, P2) - rules.base_points(net, P2)
            net += change
            assert granted == floor(net * rate(net))


@pytest.mark.parametrize(
    ("net_fen", "points"), [(9_999, 0), (10_000, 100), (29_999, 299), (30_000, 450), (49_999, 749), (50_000, 1_000)]
)
def test_a_month_earns_from_each_threshold_on(net_fen: int, points: int) -> None:  # P2
    assert rules.base_points(net_fen, P2) == points


def test_a_month_cannot_be_negative() -> None:
    with pytest.raises(ValueError, match="net_fen is -1, expected 0 or more"):
        rules.base_points(-1, P2)


@given(FEN, st.integers(0, 400_000), st.integers(100, 500))
def test_a_bonus_is_the_floor_of_net_times_rate_times_what_is_above_one(
    net_fen: int, month_fen: int, percent: int
) -> None:  # P2
    bonus = rules.bonus_points(net_fen, rules.rate_bp(month_fen, P2), percent * 100)
    assert bonus == floor(net_fen * rate(month_fen) * (Fraction(percent, 100) - 1))


@given(st.integers(946_684_800, 3_786_912_000), st.integers(1, 60))
def test_a_lot_ends_at_local_midnight_after_its_last_month(unix_s: int, months: int) -> None:  # P1 G2
    earned = datetime.fromtimestamp(unix_s, UTC).astimezone(SHANGHAI)
    end = rules.lot_end(earned.astimezone(UTC), months, True, SHANGHAI)
    assert (end.year * 12 + end.month) - (earned.year * 12 + earned.month) == months + 1
    assert (end.day, end.hour, end.minute, end.utcoffset()) == (1, 0, 0, timedelta(hours=8))


@pytest.mark.parametrize(
    ("earned", "months", "end"),
    [
        ("2026-01-31T12:00+08:00", 1, "2026-03-01"),  # 31 January + 1 month is 28 February, the last day it is good
        ("2027-12-31T23:59+08:00", 2, "2028-03-01"),  # a leap year
        ("2026-11-05T10:00+08:00", 12, "2027-11-06"),
        ("2026-10-31T16:30+00:00", 1, "2026-12-02"),  # the 1st of November already, in Shanghai
    ],
)
def test_lots_by_the_day_are_clamped_to_their_month(earned: str, months: int, end: str) -> None:  # P1 G2
    assert rules.lot_end(datetime.fromisoformat(earned), months, False, SHANGHAI).date().isoformat() == end


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(-60, 60))
def test_months_are_added_by_the_calendar_and_clamped(day: date, months: int) -> None:  # P1
    later = rules.add_months(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == min(day.day, monthrange(later.year, later.month)[1])


class Pile:
    """A lot for the arithmetic: a place and what is free of it."""

    def __init__(self, free: int) -> None:
        self.free = free


@given(st.lists(st.integers(0, 9), max_size=6), st.integers(0, 40))
def test_points_are_taken_one_after_the_other_from_the_first_lot_on(free: list[int], points: int) -> None:  # P1
    piles = [Pile(each) for each in free]
    one_by_one = [pile for pile in piles for _ in range(pile.free)][:points]
    taken = rules.take(points, piles)
    assert [pile for pile, part in taken for _ in range(part)] == one_by_one


@given(st.lists(st.integers(1, 9), max_size=6), st.data())
def test_what_stays_spent_is_what_a_smaller_spend_would_have_taken(parts: list[int], data: st.DataObject) -> None:  # P1
    taken = list(enumerate(parts))
    unit = [lot for lot, part in taken for _ in range(part)]
    before = data.draw(st.integers(0, len(unit)))
    points = data.draw(st.integers(0, len(unit) - before))
    back = [lot for lot, part in rules.give_back(taken, before, points) for _ in range(part)]
    kept = len(unit) - before - points
    assert sorted(back) == sorted(unit[kept : kept + points])


@given(st.integers(0, 10_000), st.integers(0, 100_000), st.lists(st.integers(0, 50_000), max_size=5))
def test_refunds_give_points_back_in_proportion_and_all_of_them_at_the_end(
    used: int, total: int, refunds: list[int]
) -> None:  # P1 P4
    refunded = 0
    for refund in refunds:
        refunded = min(total, refunded + refund)
        exact = used * Fraction(refunded, total) if total else Fraction(used)
        assert rules.returned(used, refunded, total) == floor(exact)
    assert rules.returned(used, total, total) == used


CLAIMS = st.lists(
    st.builds(Claim, st.integers(0, 30), st.integers(0, 30), st.dates(date(2026, 11, 1), date(2026, 11, 3))), max_size=8
)
CAP = st.none() | st.integers(0, 60)


@given(CLAIMS, CAP, CAP)
def test_caps_cut_only_what_rises_and_leave_no_room_unused(
    claims: list[Claim], per_day: int | None, per_month: int | None
) -> None:  # P1
    got = rules.within_caps(claims, per_day, per_month)
    whole = sum(got)
    for claim, points in zip(claims, got, strict=True):
        assert min(claim.due, claim.granted) <= points <= claim.due
        day = sum(each for other, each in zip(claims, got, strict=True) if other.day == claim.day)
        rose = points > min(claim.due, claim.granted)
        assert not rose or per_day is None or day <= per_day
        assert not rose or per_month is None or whole <= per_month
        full = (per_day is not None and day >= per_day) or (per_month is not None and whole >= per_month)
        assert points == claim.due or full


def test_without_caps_everything_due_is_granted() -> None:  # P1
    claims = [Claim(7, 0, date(2026, 11, 1)), Claim(3, 9, date(2026, 11, 1))]
    assert rules.within_caps(claims, None, None) == [7, 3]
