"""The condition builder has no page of its own: others import its macros from `conditions/builder.html`."""

from bot.web.pages import pages

console = pages("conditions", __name__)
