"""What groups plug in: WeCom's messages about them, tags and merges, their part of the timeline and of
the API, the full pull, invariants, clock work."""

from bot.core.feature import feature as made
from tags.groups import api, checks, jobs, leaves, listeners, shown, sync, timeline, triggers, used, why

feature = made("tags.groups", listeners, timeline, api, shown, sync, checks, leaves, used, jobs, triggers, why)
