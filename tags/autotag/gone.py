"""What a rule names is gone, in WeCom or here: the rule is stopped, with the reason where operators see it (T2, T3)."""

from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.operators import called
from tags.autotag import reading, service
from tags.autotag.models import TagRule


def look(session: Session, thing: str) -> None:
    """Stop every rule that is on and names what is not there any more. thing: what went just now, as `tag:3`."""
    for rule in session.scalars(service.listing().where(TagRule.enabled).order_by(TagRule.id).with_for_update()):
        if reading.faults_of(session, rule):
            service.stop(session, rule, thing)


def why(session: Session, thing: str, lang: str) -> str:
    """What a person reads of a rule that was stopped, nothing of one that was not."""
    return say(lang, "%(thing)s 没有了", thing=called.names(session, [thing], lang).get(thing, thing)) if thing else ""
