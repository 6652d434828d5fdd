"""What tagging plugs in: listeners, jobs, API, pages, what others show of tags, how events are told, checks."""

from bot.core.feature import feature as made
from tags.tagging import actions, api, bulk, checks, jobs, leaves, listeners, pages, shown, telling, triggers, why

feature = made(
    "tags.tagging", listeners, jobs, api, pages, shown, telling, checks, leaves, triggers, actions, why, bulk
)  # fmt: skip
