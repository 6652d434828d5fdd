"""A scheduler process for the tests: `python -m deeds.schedule DATABASE_URL REDIS_URL`, quick to take over."""

import sys

from bot.app import scheduler
from bot.app.worker import until_told
from bot.core import feature, log, settings
from bot.core.installation import Installation

scheduler.STANDBY_SECONDS, scheduler.TURN_SECONDS = 0.2, 0.1

feature.load(["deeds"])
given = settings.load(log_format="json", _env_file=None)
log.configure(given, "scheduler")
sys.exit(scheduler.run(Installation(given, sys.argv[1], sys.argv[2]), until_told()))
