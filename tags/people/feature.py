"""What people plug in: the receivers of WeCom's events about customers, the API, invariants."""

from bot.core.feature import feature as made
from tags.people import api, checks, listeners

feature = made("tags.people", listeners, api, checks)
