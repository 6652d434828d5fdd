"""What tiers plug in: the table a brand edits, the field of the customer's object, texts and answers."""

from bot.core.feature import feature as made
from handlers.tiers import leaves, pages, placeholders, questions, service

feature = made("handlers.tiers", service, placeholders, questions, pages, leaves)
