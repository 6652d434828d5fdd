"""The web application of one installation, put together in one place by explicit lines."""

from importlib.metadata import version

from flask_openapi3.openapi import OpenAPI

from bot.app import health
from bot.app.features import load_features
from bot.core.installation import Installation
from bot.operators import identify
from bot.web import api, busy, console, limits, problems
from bot.wecom import callback


def create_app(installation: Installation) -> OpenAPI:
    """The Flask application: callbacks, API, console, health. One per process; it opens no connection by itself."""
    load_features()
    app = api.application("fugou", version("fugou"), static_folder=None)  # files are `bot.web.files`'
    problems.install(app)
    console.install(app, installation, identify.identify)
    limits.install(app, installation)
    api.install(app)
    health.install(app)
    app.extensions["callback_writer"] = writer = callback.Writer(installation.database_url)
    entry = callback.Entry(installation, writer)
    app.register_blueprint(callback.blueprint(entry))
    app.wsgi_app = callback.middleware(entry, busy.middleware(app.wsgi_app))  # type: ignore[method-assign]
    return app
