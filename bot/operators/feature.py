"""What the operators plug in: settings over REST, a check of the audit, clock work, login and its second step, who may
get in, what failed.

Who is calling is handed to the guard in `bot.app.create`.
"""

from bot.core.feature import feature as made
from bot.operators import api, audit, called, failures, jobs, pages, roster, trail, twostep, twostep_pages

feature = made("bot.operators", called, api, audit, jobs, pages, twostep, twostep_pages, failures, roster, trail)
