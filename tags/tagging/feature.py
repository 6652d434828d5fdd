"""What tagging plugs in: listeners, work for later, API, what others show of tags, how events are told, invariants."""

from bot.core.feature import feature as made
from tags.tagging import api, checks, jobs, listeners, shown, telling

feature = made("tags.tagging", listeners, jobs, api, shown, telling, checks)
