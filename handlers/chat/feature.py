"""What the chat plugs in: WeCom's messages, its questions, its settings its part of the timeline, its jobs."""

from bot.core.feature import feature as made
from handlers.chat import handover, jobs, listeners, questions, timeline, triggers

feature = made("handlers.chat", handover, listeners, questions, timeline, jobs, triggers)
