"""What points plug in: what they do when orders and merges happen, API, clock work, words, invariants."""

from bot.core.feature import feature as made
from handlers.points import (
    api,
    checks,
    imports,
    jobs,
    leaves,
    listeners,
    pages,
    preferences,
    questions,
    shown,
    telling,
    triggers,
    why,
)

feature = made(
    "handlers.points", preferences, listeners, shown, questions, api, pages, jobs, telling, checks, leaves, triggers,
    imports, why
)  # fmt: skip
