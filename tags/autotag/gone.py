"""What a rule names is gone, in WeCom or here: the rule is stopped, with the reason where operators see it (T2, T3)."""

from sqlalchemy.orm import Session

from tags.autotag import reading, service
from tags.autotag.models import TagRule


def look(session: Session) -> None:
    """Stop every rule that is on and names what is not there any more."""
    for rule in session.scalars(service.listing().where(TagRule.enabled).order_by(TagRule.id).with_for_update()):
        faults = reading.faults_of(session, rule)
        if faults:
            service.stop(session, rule, "; ".join(f"{one.pointer}: {one.detail}" for one in faults))
