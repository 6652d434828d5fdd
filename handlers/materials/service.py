"""Keeping materials and finding them again."""

import os
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.crypto import fingerprint
from bot.core.errors import NotFound, Unacceptable
from bot.core.installation import Installation, installation_of
from bot.operators.audit import record_audit
from handlers.materials import rules
from handlers.materials.models import Material


def add(session: Session, name: str, file_name: str, data: bytes) -> Material:
    """Keep a file. Raises Unacceptable (`/file`) where WeCom would not take it (wecom.md §3.18)."""
    try:
        kind, mime = rules.kind_of(data)
    except rules.BadFile as error:
        raise Unacceptable.at("/file", f"the file {error}") from None
    material = Material(
        name=name, kind=kind, mime=mime, file_name=_plain_name(file_name, name), size=len(data),
        digest=fingerprint(data), created_at=clock.now(), created_by=session.info["actor"], refused="",
    )  # fmt: skip
    _write(path_of(installation_of(session), material), data)
    session.add(material)
    session.flush()
    record_audit(session, "material.added", str(material.id), None, {"name": name, "kind": kind, "size": material.size})
    return material


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
    """The kind of each of the materials there are among `ids`."""
    if not ids:
        return {}
    found = session.execute(select(Material.id, Material.kind).where(Material.id.in_(ids)))
    return dict(found.all())


def refused(session: Session, ids: set[int]) -> dict[int, str]:
    """Which of `ids` WeCom does not take, and why."""
    if not ids:
        return {}
    query = select(Material.id, Material.refused).where(Material.id.in_(ids), Material.refused != "")
    return dict(session.execute(query).all())


def path_of(installation: Installation, material: Material) -> Path:
    """Where a material's file lies."""
    return installation.settings.data_dir / "uploads" / material.digest[:2] / material.digest


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all; equal content is one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
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
