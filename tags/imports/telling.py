"""How imports are told: in timelines, and as who did what the records keep of them (G4)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.operators.called import called, numbers
from tags.imports.models import Import
from tags.timeline.service import Told, tells


@tells("customer.imported")
def imported(data: dict[str, Any], lang: str) -> Told:
    return Told("upload", "", say(lang, "随文件「%(file)s」导入", file=data["file"]))


@called("import")
def imports(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(Import.id, Import.name).where(Import.id.in_(numbers(ids))))
    return {str(its_id): say(lang, "导入「%(name)s」", name=name) for its_id, name in found}
