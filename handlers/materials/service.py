"""Keeping materials and finding them again."""

import os
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.crypto import fingerprint
from bot.core.errors import Conflict, NotFound, Unacceptable
from bot.core.feature import Register
from bot.core.installation import Installation, installation_of
from bot.operators.audit import record_audit
from handlers.materials import rules
from handlers.materials.models import Material

UPLOADS = "uploads"  # below DATA_DIR
SWEPT_AFTER_S = 86_400


@dataclass(frozen=True)
class Holder:
    """Something that names a material or will send it. kind: welcome_rule, live_code, delivery, …; name: for people."""

    kind: str
    name: str


Holds = Callable[[Session], Iterable[tuple[int, Holder]]]
holders: Register[Holds] = Register("holders of materials")


class Held(Conflict):
    """A material that something still names or will send can't be deleted."""

    def __init__(self, material_id: int, by: list[Holder]) -> None:
        listed = ", ".join(f"{one.kind} {one.name}" for one in by)
        super().__init__(f"material {material_id} is in use: {listed}")


def holds(function: Holds) -> Holds:
    """Mark a function that gives the ids of the materials its feature names or will send, each with what holds it."""
    return holders.mark(function, function)


def held(session: Session) -> dict[int, list[Holder]]:
    """What holds each material that is held."""
    found: dict[int, list[Holder]] = {}
    for each in holders:
        for material_id, holder in each(session):
            found.setdefault(material_id, []).append(holder)
    return found


def add(session: Session, name: str, file_name: str, data: bytes) -> Material:
    """Keep a file. Raises Unacceptable (`/file`) where WeCom would not take it (wecom.md §3.18)."""
    try:
        return keep(session, name, file_name, data)
    except rules.BadFile as error:
        raise Unacceptable.at("/file", f"the file {error}") from None


def keep(session: Session, name: str, file_name: str, data: bytes) -> Material:
    """Keep a file. Raises rules.BadFile where WeCom would not take it."""
    kind, mime = rules.kind_of(data)
    material = Material(
        name=name, kind=kind, mime=mime, file_name=_plain_name(file_name, name), size=len(data),
        digest=fingerprint(data), created_at=clock.now(), created_by=session.info["actor"], refused="",
    )  # fmt: skip
    _write(path_of(installation_of(session), material), data)
    session.add(material)
    session.flush()
    record_audit(session, "material.added", str(material.id), None, {"name": name, "kind": kind, "size": material.size})
    return material


def delete(session: Session, material_id: int) -> None:
    """Delete a material nothing holds; its file goes with the next `sweep`. Raises NotFound, Held (409)."""
    material = session.get(Material, material_id, with_for_update=True)
    if material is None:
        raise NotFound(f"no material has the id {material_id}")
    by = held(session).get(material_id)
    if by:
        raise Held(material_id, by)
    session.delete(material)
    record_audit(session, "material.deleted", str(material_id), {"name": material.name, "kind": material.kind}, None)


def sweep(session: Session) -> int:
    """Remove the files that no material has any more and nobody has written for a day; returns how many."""
    uploads = installation_of(session).settings.data_dir / UPLOADS
    before = time.time() - SWEPT_AFTER_S
    old = [one for one in uploads.glob("*/*") if one.stat().st_mtime < before] if uploads.exists() else []
    kept = set(session.scalars(select(Material.digest).where(Material.digest.in_([one.name for one in old]))))
    gone = [one for one in old if one.name not in kept]
    for one in gone:
        one.unlink(missing_ok=True)
    return len(gone)


def get(session: Session, material_id: int) -> Material:
    """Raises NotFound."""
    material = session.get(Material, material_id)
    if material is None:
        raise NotFound(f"no material has the id {material_id}")
    return material


def listing(kind: str | None = None) -> Select[Any]:
    """All materials, or those of one kind."""
    query = select(Material)
    return query if kind is None else query.where(Material.kind == kind)


def kinds(session: Session, ids: set[int]) -> dict[int, str]:
    """The kind of each of the materials there are among `ids`, none of which can be deleted in this transaction."""
    if not ids:
        return {}
    rows = select(Material.id, Material.kind).where(Material.id.in_(ids)).order_by(Material.id)
    return dict(session.execute(rows.with_for_update(read=True, key_share=True)).all())


def refused(session: Session, ids: set[int]) -> dict[int, str]:
    """Which of `ids` WeCom does not get, and why: it does not take them, or they were deleted."""
    if not ids:
        return {}
    known = dict(session.execute(select(Material.id, Material.refused).where(Material.id.in_(ids))).all())
    why = {material_id: known.get(material_id, "it was deleted") for material_id in ids}
    return {material_id: words for material_id, words in why.items() if words}


def path_of(installation: Installation, material: Material) -> Path:
    """Where a material's file lies."""
    return installation.settings.data_dir / UPLOADS / material.digest[:2] / material.digest


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all; equal content is one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        os.utime(path)  # from now on it is not swept
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as fresh:
        fresh.write(data)
        fresh.flush()
        os.fsync(fresh.fileno())
    os.replace(fresh.name, path)


def _plain_name(file_name: str, otherwise: str) -> str:
    """The last part of a path from any system, without what breaks a header."""
    last = file_name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable() and sign not in '"<>:|?*')[-100:] or otherwise
