"""What Granian serves: the application of the installation that the environment names, one per worker process."""

import contextlib
import multiprocessing

from bot.app.create import create_app
from bot.app.house import opened
from bot.app.supervisor import live_with_parent
from bot.core import log
from bot.core import settings as fugou_settings

POOL_SIZE = 20  # connections a process keeps; 32 threads, of which 24 may be outside /wecom/

if (granian := multiprocessing.parent_process()) and granian.pid:
    live_with_parent(granian.pid)  # kill -9 of Granian's parent would leave this process serving
settings = fugou_settings.load()
log.configure(settings, "web")
_held = contextlib.ExitStack()  # the servers' shared lock, for as long as this process lives
application = create_app(_held.enter_context(opened(settings, pool_size=POOL_SIZE)))
