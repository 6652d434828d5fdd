"""What segments plug in: API, pages, a condition leaf, triggers, who uses what, their part of lists and timelines."""

from bot.core.feature import feature as made
from tags.segments import api, checks, jobs, leaves, meant, pages, service, shown, triggers, why

feature = made("tags.segments", api, checks, jobs, leaves, meant, service, shown, triggers, pages, why)
