"""What messaging plugs in where."""

from bot.core.feature import feature as made
from handlers.messaging import checks, jobs, listeners, pages, placeholders, timeline

feature = made("handlers.messaging", placeholders, listeners, jobs, pages, timeline, checks)
