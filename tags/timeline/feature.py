"""What the timeline plugs in: how the events of people are told, and the API."""

from bot.core.feature import feature as made
from tags.timeline import api, people

feature = made("tags.timeline", people, api)
