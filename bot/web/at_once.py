"""Requests whose answer needs WeCom's: the call is committed as a row, sent in the request, answered from the row.

code, confirmed = at_once(lambda own: service.make(own, body))         # posts `add_contact_way`
return reply(answer(code), 201 if confirmed else 202)
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from bot.core.errors import Problem
from bot.web import edge
from bot.wecom import outbox
from bot.wecom.client import wecom_of

Made = TypeVar("Made")


class RefusedByWeCom(Problem):
    """WeCom said no to what the request needed there; `errcode` is WeCom's."""

    status, title = 502, "Refused by WeCom"


def at_once(decide: Callable[[Session], Made]) -> tuple[Made, bool]:
    """What `decide` returns, and whether WeCom confirmed every call it posted; else they settle themselves (202).

    `decide` gets a session of its own, which is committed before the calls are made: read what they changed only after
    this, and hold no lock in the request's own session that `decide` needs. Raises RefusedByWeCom.
    """
    installation = edge.installation()
    with installation.transaction(edge.session().info["actor"]) as own:
        made = decide(own)
        posted: list[int] = own.info.get("posted", [])
    rows = [outbox.send_now(installation, wecom_of(installation), row_id) for row_id in posted]
    refused = next((row for row in rows if row.state == "refused"), None)
    if refused is not None:
        raise RefusedByWeCom(refused.error or "refused", errcode=refused.errcode)
    return made, all(row.state == "sent" for row in rows)
