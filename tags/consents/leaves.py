"""What conditions ask of consent (T4)."""

from typing import Any, Literal

from flask_babel import lazy_gettext as _l
from pydantic import Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from bot.core.i18n import say
from bot.web.language import spoken
from tags.conditions.controls import PROFILE, Choice, Option, Sentence, Shown
from tags.conditions.counting import part
from tags.conditions.tree import Asked, Leaf, leaf
from tags.consents.models import Consent
from tags.consents.service import PURPOSES, Purpose
from tags.consents.shown import purpose_words
from tags.people.service import family_of

STATES = [Option("given", _l("同意了")), Option("withdrawn", _l("退订了")), Option("unknown", _l("没说过"))]


def purposes(session: Session) -> list[Option]:
    """What she may agree to."""
    return [Option(one, purpose_words(one, spoken())) for one in PURPOSES]


@part(_l("退订了营销消息"))
def quiet() -> dict[str, Any]:
    """Of a count, those who took their consent to marketing back."""
    return {"consent": "marketing", "is": "withdrawn"}


@leaf
class ConsentLeaf(Leaf, key="consent"):
    """What is in force for a purpose: she gave her consent, withdrew it, or never said."""

    consent: Purpose
    is_: Literal["given", "withdrawn", "unknown"] = Field(alias="is")
    shown = Shown(
        _l("同意与退订"), PROFILE,
        Sentence(
            _l("对 {consent} {is}"),
            Choice("consent", _l("用途"), options=purposes), Choice("is", _l("说了什么"), options=STATES),
        ),
        start={"consent": "marketing", "is": "given"},
    )  # fmt: skip

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        said = aliased(Consent)
        hers = select(said.state).where(said.customer_id.in_(family_of(asked.who)), said.purpose == self.consent)
        newest = hers.order_by(said.at.desc(), said.id.desc()).limit(1).correlate(asked.who.table).scalar_subquery()
        return func.coalesce(newest, "unknown") == self.is_

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        purpose = purpose_words(self.consent, lang)
        return {
            "given": say(lang, "同意%(purpose)s", purpose=purpose),
            "withdrawn": say(lang, "退订了%(purpose)s", purpose=purpose),
            "unknown": say(lang, "没说过是否同意%(purpose)s", purpose=purpose),
        }[self.is_]
