"""What the timeline plugs in: how the events of people are told, the API, the tab on her page."""

from bot.core.feature import feature as made
from tags.timeline import api, leaves, pages, people

feature = made("tags.timeline", people, api, pages, leaves)
