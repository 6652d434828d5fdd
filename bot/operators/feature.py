"""What the operators plug in: settings over REST, a check of the audit, clock work, login pages, what failed.

Who is calling is handed to the guard in `bot.app.create`.
"""

from bot.core.feature import feature as made
from bot.operators import api, audit, called, failures, jobs, pages, trail

feature = made("bot.operators", called, api, audit, jobs, pages, failures, trail)
