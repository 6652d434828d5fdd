"""What people plug in: the receivers of WeCom's events about customers, API, pages, full pulls, invariants."""

from bot.core.feature import feature as made
from tags.people import (
    actions,
    api,
    bulk_pages,
    called,
    checks,
    finding,
    jobs,
    leaves,
    listeners,
    narrowing,
    pages,
    sync,
    triggers,
)

feature = made(
    "tags.people", called, listeners, api, pages, narrowing, bulk_pages, jobs, finding, sync, checks, leaves, triggers,
    actions,
)  # fmt: skip
