"""`python -m bot.app.bench NAME` is `fugou bench NAME`, for a checkout without the program on its PATH."""

import sys

from bot.app.cli import main

sys.argv.insert(1, "bench")
main()
