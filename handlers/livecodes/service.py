"""Making, changing and closing codes. What WeCom holds of a code changes here when WeCom has confirmed it."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Conflict, Fault, NotFound, Problem, Unacceptable
from bot.operators.audit import record_audit
from bot.wecom.outbox import URGENT, OutboxRow, post
from handlers.livecodes.models import LiveCode
from handlers.materials import media
from handlers.materials import service as materials
from handlers.materials.service import Holder
from handlers.messaging.content import Content, check_materials, material_ids
from tags.groups import routes
from tags.people import staff
from tags.tagging import service as tagging

QR, SEVERAL = 2, 2  # scene and type of a contact way: a QR code of several members, even where one is named now
REMARK_CHARACTERS = 30
UNKNOWN_WAY = 41044
IN_WECOM = {"staff": "user", "skip_verify": "skip_verify"}  # our name -> the contact way's


def make(session: Session, values: dict[str, Any]) -> LiveCode:
    """A new code, whose contact way WeCom is asked for. values: as the API names them, ids as integers.

    Raises Unacceptable for tags, materials or a segment group that are not there, or tags she can't have together.
    """
    _check(session, values)
    code = LiveCode(
        **_kept(values), state=f"fg{secrets.token_hex(10)}", qr_code="", duty=[], pending=None, error="",
        created_at=clock.now(), created_by=session.info["actor"],
    )  # fmt: skip
    session.add(code)
    session.flush()
    code.outbox_id = post(
        session, "add_contact_way",
        {"type": SEVERAL, "scene": QR, "style": 1, "remark": code.name[:REMARK_CHARACTERS], "state": code.state,
         "skip_verify": code.skip_verify, "user": code.staff},
        purpose="sync", dedupe=f"live_code:{code.state}", priority=URGENT,
    )  # fmt: skip
    record_audit(session, "live_code.made", str(code.id), None, _shown(code))
    return code


def change(session: Session, code_id: int, values: dict[str, Any]) -> LiveCode:
    """Change what is named in `values`, once WeCom has confirmed what it holds. Raises as `make`, or Conflict."""
    code = _open(session, code_id)
    _check(session, values)
    before = _shown(code)
    kept = _kept(values)
    way = {there: kept[here] for here, there in IN_WECOM.items() if here in kept and kept[here] != before[here]}
    if way:
        code.pending = kept
        ask(session, code, way)
    else:
        _apply(code, kept)
    record_audit(session, "live_code.changed", str(code.id), before, {**before, **kept})
    return code


def close(session: Session, code_id: int) -> None:
    """Delete the code in WeCom; what came through it stays. One that WeCom never made is closed at once."""
    code = _open(session, code_id)
    if code.config_id is None:
        code.closed_at = clock.now()
    else:
        code.outbox_id = post(
            session, "del_contact_way", {"config_id": code.config_id}, purpose="sync", priority=URGENT
        )  # fmt: skip
    record_audit(session, "live_code.closed", str(code.id), _shown(code), None)


def ask(session: Session, code: LiveCode, way: dict[str, Any]) -> None:
    """Ask WeCom to change the contact way of a code that has one and waits for nothing."""
    row_id = post(
        session, "update_contact_way", {"config_id": code.config_id, **way}, purpose="sync", priority=URGENT
    )  # fmt: skip
    code.outbox_id = row_id


def get(session: Session, code_id: int) -> LiveCode:
    """Raises NotFound."""
    code = session.get(LiveCode, code_id)
    if code is None:
        raise NotFound(f"no live code has the id {code_id}")
    return code


def of_state(session: Session, state: str) -> LiveCode | None:
    """The code an adding with this state came through; a state is what strangers may set, so it is only compared."""
    return session.scalar(select(LiveCode).where(LiveCode.state == state)) if state else None


def listing(closed: bool = False) -> Select[Any]:
    """The codes in use, or those that were closed."""
    return select(LiveCode).where(LiveCode.closed_at.is_not(None) if closed else LiveCode.closed_at.is_(None))


def settled(session: Session, row: OutboxRow) -> LiveCode | None:
    """WeCom has confirmed or refused a change of a code; returns the code, None where it is none of ours."""
    code = session.scalar(select(LiveCode).where(_named_in(row)).with_for_update())
    if code is None or row.state == "unknown":
        return None
    mine = code.outbox_id in (row.id, None)
    code.outbox_id = None if mine else code.outbox_id
    gone = row.call == "del_contact_way" and row.errcode == UNKNOWN_WAY
    if row.state == "refused" and not gone:
        code.error, code.pending = row.error or "refused", None
        return code
    code.error = ""
    if row.call == "del_contact_way":
        code.closed_at = clock.now()
        return code
    if row.call == "add_contact_way" and row.answer:
        code.config_id, code.qr_code = row.answer["config_id"], row.answer.get("qr_code") or ""
    code.duty = row.payload.get("user", code.duty)
    if mine:
        _apply(code, code.pending or {})
        code.pending = None
    return code


def _apply(code: LiveCode, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(code, name, value)


def _open(session: Session, code_id: int) -> LiveCode:
    code = session.get(LiveCode, code_id, with_for_update=True, populate_existing=True)
    if code is None or code.closed_at is not None:
        raise NotFound(f"no live code has the id {code_id}")
    if code.outbox_id is not None:
        raise Conflict(f"a change of live code {code_id} is still on its way to WeCom; try again in a moment")
    return code


def _named_in(row: OutboxRow) -> Any:
    if row.call == "add_contact_way":
        return LiveCode.state == row.payload["state"]
    return LiveCode.config_id == row.payload["config_id"]


def _check(session: Session, values: dict[str, Any]) -> None:
    staff.know(session, *values.get("staff") or ())
    if isinstance(values.get("welcome"), Content):
        check_materials(session, values["welcome"], "/welcome")
    named: list[tuple[str, Callable[[Session, int], object], int]]
    named = [(f"/tags/{place}", tagging.by_hand, tag_id) for place, tag_id in enumerate(values.get("tags") or ())]
    if values.get("segment_group_id") is not None:
        named.append(("/segment_group_id", routes.get, values["segment_group_id"]))
    faults = []
    for pointer, look, its_id in named:
        try:
            look(session, its_id)
        except Problem as error:
            faults.append(Fault(pointer, error.detail, error.words))
    tags = values.get("tags") or []
    for rival in [] if faults else tagging.rivals(session, tags):
        detail = "is a second tag of a single-choice group, which has one"
        faults.append(Fault(f"/tags/{tags.index(rival)}", detail, _l("同一个单选组只能选一个标签")))
    if faults:
        raise Unacceptable(f"{faults[0].pointer}: {faults[0].detail}", tuple(faults))


def _kept(values: dict[str, Any]) -> dict[str, Any]:
    """Values as the table keeps them."""
    welcome = values.get("welcome")
    return {**values, "welcome": welcome.model_dump(mode="json")} if isinstance(welcome, Content) else values


def _shown(code: LiveCode) -> dict[str, Any]:
    names = ("name", "staff", "daily_cap", "skip_verify", "tags", "welcome", "segment_group_id", "remark_channel")
    return {name: getattr(code, name) for name in names}


@media.uses
def carried(session: Session) -> set[int]:
    """Materials in the welcomes of the codes in use."""
    kept = session.scalars(select(LiveCode.welcome).where(LiveCode.closed_at.is_(None), LiveCode.welcome.is_not(None)))
    return material_ids(Content.model_validate(one) for one in kept)


@materials.holds
def held(session: Session) -> Iterator[tuple[int, Holder]]:
    """Materials in the welcomes of the codes in use, and of changes WeCom has not confirmed yet."""
    for code in session.scalars(listing()):
        for kept in (code.welcome, (code.pending or {}).get("welcome")):
            for material_id in material_ids([Content.model_validate(kept)]) if kept else ():
                yield material_id, Holder("live_code", code.name)
