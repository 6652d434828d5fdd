"""A worker process for the tests, quick to give up: `python -m deeds.work DATABASE_URL REDIS_URL [FEATURE…]`."""

import sys

from bot.core import feature, log, settings
from bot.core.installation import Installation
from bot.core.jobs import lanes

lanes.HEARTBEAT_SECONDS, lanes.DEAD_AFTER_SECONDS = 0.2, 1.0
lanes.POOL_SECONDS, lanes.AWAY_SECONDS = 0.3, 0.1

feature.load([*sys.argv[3:], "deeds"])
given = settings.load(log_format="json", _env_file=None)
log.configure(given, "worker")
installation = Installation(given, sys.argv[1], sys.argv[2], pool_size=lanes.THREADS)
sys.exit(0 if lanes.run(installation) else 1)
