"""What the timeline plugs in: how the events of people are told."""

from bot.core.feature import feature as made
from tags.timeline import people

feature = made("tags.timeline", people)
