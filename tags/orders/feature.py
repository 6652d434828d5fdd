"""What orders plug in: their API, how the timeline and the customer object tell them, invariants."""

from bot.core.feature import feature as made
from tags.orders import api, checks, leaves, pages, shown, telling, triggers

feature = made("tags.orders", api, pages, shown, telling, checks, leaves, triggers)
