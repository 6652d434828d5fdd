"""What the web side plugs in: its preferences."""

from bot.core.feature import feature as made
from bot.web import limits

feature = made("bot.web", limits)
