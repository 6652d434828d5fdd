"""Wrong passwords are counted per account and per address."""

from bot.core.installation import Installation
from bot.web.limits import Counts

PER_ACCOUNT, PER_ADDRESS = 10, 30  # wrong passwords in a window, before further ones are not even looked at
WINDOW_SECONDS = 15 * 60


class Throttle:
    """Counts tries before they are made, so that many at once can't pass; a success forgets the account's."""

    def __init__(self, installation: Installation) -> None:
        self._tries = Counts(installation, "login", WINDOW_SECONDS)

    def admit(self, account: str, address: str) -> bool:
        """Count one more try; False where it must not be looked at."""
        of_account, _ = self._tries.add(f"account:{account.casefold()}")
        of_address, _ = self._tries.add(f"address:{address}")
        return of_account <= PER_ACCOUNT and of_address <= PER_ADDRESS

    def forget(self, account: str, address: str) -> None:
        """Forget the tries of an account that has logged in, and this one of the address."""
        self._tries.forget(f"account:{account.casefold()}")
        self._tries.add(f"address:{address}", -1)
