"""What orders plug in: their API, how the timeline tells them, invariants."""

from bot.core.feature import feature as made
from tags.orders import api, checks, leaves, pages, telling, triggers

feature = made("tags.orders", api, pages, telling, checks, leaves, triggers)
