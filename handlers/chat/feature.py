"""What the chat plugs in: WeCom's messages, its questions, its settings and its clock work."""

from bot.core.feature import feature as made
from handlers.chat import handover, jobs, listeners, questions

feature = made("handlers.chat", handover, listeners, questions, jobs)
