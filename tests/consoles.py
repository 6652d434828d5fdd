"""A console for tests: the application with the features a test names, without WeCom."""

from flask import Flask

from bot.core import feature
from bot.core.installation import Installation
from bot.operators.identify import identify
from bot.web import api, console, problems


def console_app(installation: Installation, *features: str) -> Flask:
    """Put together as `bot.app.create` does, with `bot.operators` and `features`."""
    feature.load(["bot.operators", *features])
    app = api.application("fugou", "0", static_folder=None)
    problems.install(app)
    console.install(app, installation, identify)
    return app
