"""What RFM plugs in: scoring at night and per order, the field of the customer's object, condition leaves."""

from bot.core.feature import feature as made
from tags.rfm import checks, jobs, leaves, listeners, pages, preferences, service

feature = made("tags.rfm", preferences, listeners, service, jobs, leaves, checks, pages)
