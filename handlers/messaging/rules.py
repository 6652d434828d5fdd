"""What WeCom lets us write, and how a text is cut to it (wecom.md §3.7, §4.4). Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

WINDOW_HOURS = 48  # after her last message in the account
WINDOW_MESSAGES = 5  # since her last message
KEPT_DAYS = 7  # a message waits for a window, then it has expired
NO_WINDOW = "no_open_window"
UNWANTED = "consent_withdrawn"

TEXT_BYTES = 4000  # of a welcome
KF_TEXT_BYTES = 2048
MENU_HEAD_BYTES = 1024
MOST_ATTACHMENTS = 9
ELLIPSIS = "…"


def room(last_at: datetime, sent: int, now: datetime) -> int:
    """How many messages may be sent now: five since her last message at `last_at`, none after 48 hours."""
    return max(0, WINDOW_MESSAGES - sent) if last_at <= now < last_at + timedelta(hours=WINDOW_HOURS) else 0


def size(text: str) -> int:
    """Bytes as WeCom counts them, in UTF-8."""
    return len(text.encode())


def fit(text: str, most: int) -> str:
    """`text` in at most `most` bytes: whole, or cut between characters and ended with an ellipsis."""
    if size(text) <= most:
        return text
    return text.encode()[: max(0, most - size(ELLIPSIS))].decode(errors="ignore") + ELLIPSIS


def pieces(text: str, most: int) -> Iterator[str]:
    """`text` in pieces of at most `most` bytes, cut after the last line break that fits, else between characters."""
    while size(text) > most:
        head = text.encode()[:most].decode(errors="ignore")
        at = head.rfind("\n") + 1 or len(head)
        yield head[:at].rstrip("\n")
        text = text[at:]
    yield text
