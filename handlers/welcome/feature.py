"""What the welcomes plug in where."""

from bot.core.feature import feature as made
from handlers.welcome import api, editing, listeners, timeline

feature = made("handlers.welcome", api, editing, listeners, timeline)
