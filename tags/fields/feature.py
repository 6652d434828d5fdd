"""What custom fields plug in: conditions, the customer's object and its changes, merges, API, pages, purging."""

from bot.core.feature import feature as made
from tags.fields import api, jobs, listeners, pages, shown

feature = made("tags.fields", shown, listeners, jobs, api, pages)
