"""What the operators plug in: the login pages. Identifying the caller is handed to the guard in `bot.app.create`."""

from bot.core.feature import feature as made
from bot.operators import pages

feature = made("bot.operators", pages)
