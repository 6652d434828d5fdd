"""What the web side plugs in: its preferences and its clock work."""

from bot.core.feature import feature as made
from bot.web import jobs, limits

feature = made("bot.web", limits, jobs)
