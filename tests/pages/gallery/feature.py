"""What the gallery plugs in: its pages."""

from bot.core.feature import feature as made
from gallery import pages

feature = made("gallery", pages)
