"""Conditions plug in the templates of their builder; features register the leaves."""

from bot.core.feature import feature as made
from tags.conditions import pages

feature = made("tags.conditions", pages)
