"""What tiers plug in: the table a brand edits, and the field of the customer's object."""

from bot.core.feature import feature as made
from handlers.tiers import service

feature = made("handlers.tiers", service)
