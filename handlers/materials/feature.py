"""What the materials plug in where."""

from bot.core.feature import feature as made
from handlers.materials import api, jobs, listeners, pages

feature = made("handlers.materials", api, listeners, jobs, pages)
