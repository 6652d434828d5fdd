"""What the web side plugs in: its preferences and its clock work."""

from bot.core.feature import feature as made
from bot.web import brand, jobs, limits

feature = made("bot.web", brand, limits, jobs)
