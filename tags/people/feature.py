"""What people plug in: the receivers of WeCom's events about customers, the API, full pulls, invariants."""

from bot.core.feature import feature as made
from tags.people import api, checks, listeners, sync

feature = made("tags.people", listeners, api, sync, checks)
