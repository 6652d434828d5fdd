"""What people plug in: the receivers of WeCom's events about customers."""

from bot.core.feature import feature as made
from tags.people import listeners

feature = made("tags.people", listeners)
