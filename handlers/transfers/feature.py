"""What transfers plug in: WeCom's answers, the API, clock work."""

from bot.core.feature import feature as made
from handlers.transfers import api, jobs, listeners

feature = made("handlers.transfers", listeners, api, jobs)
