"""What binding plugs in: the page, the word in the chat, a placeholder, the API, her page, the timeline."""

from bot.core.feature import feature as made
from handlers.binding import api, h5, pages, service, shown

feature = made("handlers.binding", service, shown, api, h5, pages)
