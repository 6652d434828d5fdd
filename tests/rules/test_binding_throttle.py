"""How often binding may be tried: random tries against a count on paper, and many at once (C7)."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from bot.core.installation import Installation
from handlers.binding.throttle import Throttle

LIMITS = {"order_customer": 10, "order_address": 30, "order": 5}  # docs/decisions/0007
tries = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)), max_size=60)


@given(tries=tries)
def test_a_try_is_looked_at_exactly_while_none_of_its_counts_is_over(
    installation: Installation, tries: list[tuple[int, int, int]]
) -> None:  # C7
    throttle, counted, salt = Throttle(installation), Counter[tuple[str, int]](), uuid4()
    for customer, address, order in tries:
        tried = {"order_customer": customer, "order_address": address, "order": order}
        counted.update(tried.items())
        expected = all(counted[one] <= LIMITS[one[0]] for one in tried.items())
        assert throttle.admit(**{name: f"{salt}:{value}" for name, value in tried.items()}) == expected


def test_many_at_once_do_not_get_more_tries(installation: Installation) -> None:  # C7
    throttle = Throttle(installation)
    with ThreadPoolExecutor(16) as pool:
        admitted = list(pool.map(lambda n: throttle.admit(order="D1", order_customer=n), range(64)))
    assert sum(admitted) == LIMITS["order"]
