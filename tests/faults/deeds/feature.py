"""What plugs in."""

from bot.core.feature import feature as make
from deeds import jobs

feature = make("deeds", jobs)
