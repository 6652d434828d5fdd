"""What invites plug in: what they listen to, their part of welcomes, timeline, API and pages, their clock work."""

from bot.core.feature import feature as made
from handlers.invites import api, exported, jobs, links, listeners, pages, timeline, triggers, why

feature = made("handlers.invites", listeners, timeline, api, links, pages, exported, jobs, triggers, why)
