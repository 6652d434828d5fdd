"""What the live codes plug in where."""

from bot.core.feature import feature as made
from handlers.livecodes import api, jobs, listeners, pages, service, timeline, triggers

feature = made("handlers.livecodes", service, api, listeners, jobs, pages, timeline, triggers)
