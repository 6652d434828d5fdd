"""How often binding may be tried, counted before anything is looked at, so that many at once can't pass (C7).

A window begins with the first try in it, and tries that are refused count too.
"""

from bot.core.installation import Installation
from bot.web.limits import Counts

HOUR, DAY = 3600, 86_400
LIMITS = {
    "order_customer": (10, DAY),  # orders she names
    "order_address": (30, HOUR),  # an office's or a carrier's one address has many people behind it
    "order": (5, DAY),  # tries on one order: its price is the secret
    "code": (5, HOUR),  # of a million codes, in the ten minutes one lives
    "code_customer": (15, DAY),
    "code_address": (60, HOUR),
    "sms_phone_minute": (1, 60),
    "sms_phone": (5, DAY),
    "sms_customer": (5, DAY),
    "sms_address": (20, HOUR),
}


class Throttle:
    """Counts by what is tried, whoever tries."""

    def __init__(self, installation: Installation) -> None:
        self._counts = {name: Counts(installation, f"binding:{name}", seconds) for name, (_, seconds) in LIMITS.items()}

    def admit(self, **tried: str | int) -> bool:
        """Count a try of each, by the names of `LIMITS`; whether none of them is over its limit."""
        numbers = {name: self._counts[name].add(str(value))[0] for name, value in tried.items()}
        return all(number <= LIMITS[name][0] for name, number in numbers.items())


def throttle_of(installation: Installation) -> Throttle:
    """The installation's."""
    made: Throttle = installation.caches.setdefault("binding throttle", Throttle(installation))
    return made
