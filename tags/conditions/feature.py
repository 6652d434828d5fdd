"""Conditions plug in nothing themselves; features register the leaves."""

from bot.core.feature import feature as made

feature = made("tags.conditions")
