"""What consent plugs in: the log's API and tab, the field of her object, a condition leaf, its part of the timeline."""

from bot.core.feature import feature as made
from tags.consents import api, leaves, pages, shown

feature = made("tags.consents", shown, leaves, api, pages)
