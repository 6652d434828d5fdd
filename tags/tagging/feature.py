"""What tagging plugs in: listeners, work for later, how its events are told."""

from bot.core.feature import feature as made
from tags.tagging import jobs, listeners, telling

feature = made("tags.tagging", listeners, jobs, telling)
