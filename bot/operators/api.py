"""`/settings`: what domain.md marks *default*, read and changed by name; a change is in the audit log."""

from typing import Any

from flask import Response
from pydantic import RootModel

from bot.core import preferences
from bot.operators.audit import record_audit
from bot.web.api import answers, reply, resource
from bot.web.edge import session
from bot.web.guard import needs

api = resource(__name__, "settings")


class Values(RootModel[dict[str, Any]]):
    """Settings by name; what each may be, `help` of its preference says."""


@api.get("/settings", responses=answers(Values))
@needs("settings:read")
def get_settings() -> Response:
    """Every setting with the value in force."""
    return reply(Values(preferences.everything(session())))


@api.patch("/settings", responses=answers(Values))
@needs("settings:write")
def patch_settings(body: Values) -> Response:
    """Change some; all or none. In force in every process within 5 s."""
    for name, value in body.root.items():
        before, after = preferences.change(session(), name, value)
        record_audit(session(), "setting.changed", f"setting:{name}", before, after)
    return reply(Values(preferences.everything(session())))
