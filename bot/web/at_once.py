"""Requests whose answer needs WeCom's: the call is committed as a row, sent in the request, answered from the row.

code, confirmed = at_once(lambda session: service.make(session, body))         # posts `add_contact_way`
return reply(answer(code), 201 if confirmed else 202)

A process that dies while WeCom answers leaves the effect, its call and the request's idempotency key, all or none.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from bot.core.errors import Problem
from bot.core.installation import savepoint
from bot.web import edge
from bot.wecom import outbox
from bot.wecom.client import wecom_of

Made = TypeVar("Made")


class RefusedByWeCom(Problem):
    """WeCom said no to what the request needed there; `errcode` is WeCom's."""

    status, title = 502, "Refused by WeCom"


def at_once(decide: Callable[[Session], Made]) -> tuple[Made, bool]:
    """What `decide` returns, and whether WeCom confirmed every call it posted; else they settle themselves (202).

    The request's transaction is committed before the calls are made: read what they changed only after this. Of a
    `decide` that raises nothing is left, so a form may be shown again. Raises RefusedByWeCom.
    """
    installation, session = edge.installation(), edge.session()
    with savepoint(session):
        made = decide(session)
    posted: list[int] = session.info.get("posted", [])
    edge.commit()
    rows = [outbox.send_now(installation, wecom_of(installation), row_id) for row_id in posted]
    refused = next((row for row in rows if row.state == "refused"), None)
    if refused is not None:
        raise RefusedByWeCom(refused.error or "refused", errcode=refused.errcode)
    return made, all(row.state == "sent" for row in rows)
