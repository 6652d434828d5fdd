"""What conditions ask of imports (T4): whether a row of a file was about her."""

from collections.abc import Iterator, Mapping

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault
from bot.core.i18n import say
from bot.web.api import Ident
from tags.conditions.tree import Asked, Leaf, leaf
from tags.imports.models import Import, Member
from tags.people.service import family_of


@leaf
class ImportedLeaf(Leaf, key="imported"):
    """She, or one merged into her, is in the imported list."""

    imported: Ident

    def faults(self, session: Session) -> Iterator[Fault]:
        """No import of customers, or one that has taken nobody in."""
        found = session.get(Import, int(self.imported))
        if found is None or found.kind != "customers" or found.state not in ("running", "done"):
            yield Fault("/imported", f"there is no imported list of customers {self.imported}")

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
