"""What rules plug in: their listener to everything, triggers by the clock, jobs, API, how they are told and called."""

from bot.core.feature import feature as made
from tags.autotag import api, jobs, listeners, pages, service, telling, triggers, why

feature = made("tags.autotag", listeners, service, jobs, api, pages, telling, triggers, why)
