"""What the welcomes plug in where."""

from bot.core.feature import feature as made
from handlers.welcome import api, checks, editing, listeners, pages, timeline, why

feature = made("handlers.welcome", api, editing, listeners, pages, timeline, checks, why)
