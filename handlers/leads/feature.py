"""What leads plug in: matching who becomes a contact, the clock, API, pages for operators and members, the timeline."""

from bot.core.feature import feature as made
from handlers.leads import api, checks, h5, jobs, listeners, pages, preferences, shown, standing

feature = made("handlers.leads", preferences, listeners, standing, shown, jobs, api, h5, pages, checks)
