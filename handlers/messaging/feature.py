"""What messaging plugs in where."""

from bot.core.feature import feature as made
from handlers.messaging import actions, checks, jobs, listeners, notices, pages, placeholders, timeline

feature = made("handlers.messaging", placeholders, listeners, notices, jobs, pages, timeline, checks, actions)
