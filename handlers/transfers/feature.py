"""What transfers plug in: WeCom's answers, API and pages, clock work."""

from bot.core.feature import feature as made
from handlers.transfers import api, jobs, listeners, pages

feature = made("handlers.transfers", listeners, api, pages, jobs)
