"""What the lifecycle plugs in: stages per order and by the clock, the field of her object, a condition leaf."""

from bot.core.feature import feature as made
from tags.lifecycle import checks, jobs, leaves, listeners, pages, preferences, service

feature = made("tags.lifecycle", preferences, listeners, service, jobs, leaves, checks, pages)
