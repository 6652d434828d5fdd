"""Media ids: WeCom's names for uploaded materials, good for 3 days (wecom.md §3.18).

What may be sent any moment is renewed ahead of time; whatever else a message needs is uploaded when it leaves. No
upload is in a transaction.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.feature import Register
from bot.core.installation import Installation
from bot.wecom import errors, inbox
from bot.wecom.client import WeCom
from handlers.materials import service
from handlers.materials.models import Material

GOOD_FOR = timedelta(days=3)
SOON = timedelta(hours=1)  # what is sent now needs an id that outlives the sending
AHEAD = timedelta(days=1)  # renewed a day early, so that one bad day of WeCom's keeps no welcome waiting

Uses = Callable[[Session], Iterable[int]]
in_use: Register[Uses] = Register("materials in use")


def uses(function: Uses) -> Uses:
    """Mark a function that lists the ids of materials which may be sent at any moment; they are kept uploaded."""
    return in_use.mark(function, function)


@dataclass(frozen=True)
class Renewal:
    """A question to WeCom: take this material anew."""

    material_id: int


def renew(session: Session) -> int:
    """Have uploaded what is in use and has no media id, or one that ends within a day; returns how many."""
    wanted = {material_id for list_them in in_use for material_id in list_them(session)}
    ageing = or_(Material.media_id.is_(None), Material.uploaded_at <= clock.now() + AHEAD - GOOD_FOR)
    query = select(Material.id).where(Material.id.in_(wanted), Material.refused == "", ageing)
    due = list(session.scalars(query))
    for material_id in due:
        inbox.ask(session, Renewal(material_id))
    return len(due)


def upload_ahead(installation: Installation, wecom: WeCom, renewal: Renewal) -> None:
    """Answer a renewal. What WeCom does not take is kept on the material; another failure is the inbox's to retry."""
    try:
        media_id(installation, wecom, renewal.material_id, AHEAD)
    except errors.Refused:
        return


def media_id(installation: Installation, wecom: WeCom, material_id: int, needed_for: timedelta = SOON) -> str:
    """The media id of a material that is good for `needed_for` at least; uploads where there is none.

    Call it outside of any transaction. Raises errors.Refused (kept on the material, unless that was deleted) or another
    WeComError; an upload without an answer reached nobody, so that is a NotSent.
    """
    with installation.transaction("system") as session:
        material = session.get(Material, material_id)
    if material is None:
        raise errors.Refused("media/upload", None, f"material {material_id} was deleted")
    if material.media_id and material.uploaded_at and clock.now() + needed_for < material.uploaded_at + GOOD_FOR:
        return material.media_id
    if material.refused:
        raise errors.Refused("media/upload", None, material.refused)
    at = clock.now()
    try:
        data = service.path_of(installation, material).read_bytes()
        made = str(wecom.app.media_upload(material.kind, material.file_name, data, material.mime)["media_id"])
    except FileNotFoundError:
        raise errors.Refused("media/upload", None, f"the file of material {material_id} is not in DATA_DIR") from None
    except errors.Unknown as error:
        raise errors.NotSent(error.endpoint, error.errcode, error.errmsg) from error
    except errors.Refused as error:
        _keep(installation, material_id, refused=str(error))
        raise
    _keep(installation, material_id, media_id=made, uploaded_at=at, refused="")
    return made


def resolve(installation: Installation, wecom: WeCom, payload: Any) -> Any:
    """`payload` with each `{"material": id}` in it, at any depth, replaced by a media id that is good now.

    Call it outside of any transaction. Raises as `media_id`.
    """
    if isinstance(payload, dict):
        if payload.keys() == {"material"}:
            return media_id(installation, wecom, payload["material"])
        return {name: resolve(installation, wecom, value) for name, value in payload.items()}
    if isinstance(payload, list):
        return [resolve(installation, wecom, value) for value in payload]
    return payload


def forget(session: Session, material_ids: Iterable[int]) -> None:
    """WeCom does not know an id any more (40007): what is sent next uploads anew."""
    session.execute(update(Material).where(Material.id.in_(list(material_ids))).values(media_id=None, uploaded_at=None))


def _keep(installation: Installation, material_id: int, **values: Any) -> None:
    with installation.transaction("system") as session:
        session.execute(update(Material).where(Material.id == material_id).values(values))
