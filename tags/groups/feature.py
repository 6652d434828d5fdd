"""What groups plug in: WeCom's messages about them, tags and merges, their part of the timeline and of the API."""

from bot.core.feature import feature as made
from tags.groups import api, listeners, timeline

feature = made("tags.groups", listeners, timeline, api)
