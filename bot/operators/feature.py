"""What the operators plug in: login pages and clock work. Who is calling is handed to the guard in `bot.app.create`."""

from bot.core.feature import feature as made
from bot.operators import jobs, pages

feature = made("bot.operators", jobs, pages)
