"""What plugs in."""

from bot.core.feature import feature as make
from deeds import clockwork, jobs

feature = make("deeds", jobs, clockwork)
