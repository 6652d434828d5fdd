"""What the operators plug in: a check of the audit, clock work, login pages.

Who is calling is handed to the guard in `bot.app.create`.
"""

from bot.core.feature import feature as made
from bot.operators import audit, jobs, pages

feature = made("bot.operators", audit, jobs, pages)
