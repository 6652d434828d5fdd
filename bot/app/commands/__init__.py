"""The commands of `fugou`, one file a subject; `bot.app.cli` lists them."""
