"""`python -m bot.app.bench NAME`, for a checkout without the program on its PATH."""

import sys

from bot.app.bench.harness import run

sys.exit(run(sys.argv[1]))
