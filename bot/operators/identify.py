"""Who is calling: the bearer of an API key, or the operator whose session cookie came with a page."""

from functools import partial

from flask import request

from bot.operators.keys import find_api_key
from bot.operators.models import Operator
from bot.operators.roles import ROLES, role_allows, scopes_allow
from bot.operators.sessions import COOKIE, read_session
from bot.web import edge
from bot.web.guard import Principal

PAGES = "/console"


def identify() -> Principal | None:
    """The caller of this request, None for a stranger. A cookie opens pages only, a key everything but pages."""
    if request.path.startswith(PAGES):
        token = request.cookies.get(COOKIE)
        operator = read_session(edge.session(), token) if token else None
        return _known(of_operator(operator)) if operator else None
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    key = find_api_key(edge.session(), token.strip()) if kind.lower() == "bearer" else None
    return _known(Principal(f"api:{key.id}", key.name, partial(scopes_allow, key.scopes))) if key else None


def of_operator(operator: Operator) -> Principal:
    """An operator as the guard sees her."""
    allows = partial(role_allows, operator.role)
    facts = {"role": ROLES[operator.role], "two_step": operator.totp_seed is not None}
    return Principal(f"operator:{operator.id}", operator.name, allows, operator.language, facts)


def _known(principal: Principal) -> Principal:
    edge.act_as(principal.actor)
    return principal
