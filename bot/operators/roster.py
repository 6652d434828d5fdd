"""操作员：who may get in, in which role, when she was last here, and whether a second step guards her (S2)."""

from flask import Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import NotFound
from bot.operators import twostep
from bot.operators.models import Operator, OperatorSession
from bot.operators.roles import ROLES
from bot.web import edge
from bot.web.guard import needs
from bot.web.menu import listed
from bot.web.pages import go, pages, render, toast

console = pages("roster", __name__)
ADDRESS = "/console/operators"


@console.get("/operators")
@listed("settings", _l("操作员"), "users", ADDRESS, place=65)
@needs("operators:read")
def index() -> Response:
    seen = select(func.max(OperatorSession.seen_at)).where(OperatorSession.operator_id == Operator.id)
    query = select(Operator, seen.scalar_subquery()).order_by(Operator.closed_at.is_not(None), Operator.id)
    rows = edge.session().execute(query).all()
    required = twostep.totp_required.of(edge.session())
    return render("operators/roster.html", rows=rows, roles=ROLES, required=required)


@console.post("/operators/<int:operator_id>/two-step-off")
@needs("operators:write")
def reset_two_step(operator_id: int) -> BaseResponse:
    """For who lost her phone and her recovery codes."""
    operator = edge.session().get(Operator, operator_id, with_for_update=True)
    if operator is None:
        raise NotFound(f"there is no operator {operator_id}")
    if operator.totp_seed is not None:
        twostep.switch_off(edge.session(), operator)
    toast(_("已重设，%(name)s下次登录只要密码", name=operator.name))
    return go(ADDRESS)
