"""What privacy plugs in: the words in the chat, and keeping what they say."""

from bot.core.feature import feature as made
from handlers.privacy import listeners, questions

feature = made("handlers.privacy", questions, listeners)
