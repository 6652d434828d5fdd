"""What conditions ask of imports (T4): whether a row of a file was about her."""

from collections.abc import Iterator, Mapping

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault
from bot.core.i18n import say
from bot.web.api import Ident
from tags.conditions.controls import TAGS, Choice, Option, Sentence, Shown
from tags.conditions.tree import Asked, Leaf, leaf
from tags.imports.models import Import, Member
from tags.people.names import name_key
from tags.people.service import family_of

TAKING = ("running", "done", "stopped", "failed")  # states of imports that may have taken somebody in


def options(session: Session) -> list[Option]:
    """The imports that took something in, newest first."""
    found = session.scalars(select(Import).where(Import.state.in_(TAKING)).order_by(Import.id.desc()))
    return [Option(str(one.id), one.name, letters=name_key(one.name)) for one in found]


@leaf
class ImportedLeaf(Leaf, key="imported"):
    """She, or one merged into her, is in the imported list."""

    imported: Ident
    shown = Shown(
        _l("导入名单"), TAGS, Sentence(_l("在导入 {imported} 里"), Choice("imported", _l("导入"), options=options))
    )

    def faults(self, session: Session) -> Iterator[Fault]:
        """No import of customers, or one that has taken nobody in."""
        found = session.get(Import, int(self.imported))
        if found is None or found.kind != "customers" or found.state not in TAKING:
            yield Fault(
                "/imported", f"there is no imported list of customers {self.imported}", _l("这份名单已经没有了")
            )

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        member = aliased(Member)
        hers = member.customer_id.in_(family_of(asked.who)), member.import_id == int(self.imported)
        return exists().where(*hers).correlate(asked.who.table)

    def narrowed(self) -> Mapping[str, str]:
        """As every leaf's."""
        return {"import_members": self.imported}

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        found = session.get(Import, int(self.imported))
        return say(lang, "在导入「%(name)s」中", name=found.name if found is not None else self.imported)
