"""The tier in texts."""

from sqlalchemy.orm import Session

from handlers.messaging.placeholders import Reader, placeholder
from handlers.tiers import service


@placeholder("tier", "等级", most_bytes=80, sample="金卡")
def tier(session: Session, reader: Reader) -> str:
    """The name of her tier, 20 characters at most."""
    return service.tier(session, reader.customer_id).tier
