"""What segments plug in: the API, a condition leaf, themselves as users of what they name, their part of the timeline."""

from bot.core.feature import feature as made
from tags.segments import api, leaves, service, shown

feature = made("tags.segments", api, leaves, service, shown)
