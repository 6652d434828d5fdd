"""What another feature puts into the envelope of a welcome: a text, and one card (T7).

    @encloses
    def invitation(session: Session, added: ContactAdded) -> Enclosure | None: ...

The text is appended to the chosen one and the card to its attachments; where that makes more than nine, the last
material gives way. Called once an adding, in its transaction, whether the welcome leaves at once or late.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.core.feature import Register
from handlers.messaging import rules
from handlers.messaging.content import Content, LeftOut, LinkCard
from handlers.messaging.placeholders import longest
from tags.people.events import ContactAdded


@dataclass(frozen=True)
class Enclosure:
    """text may have placeholders."""

    text: str
    card: LinkCard | None = None


Enclosing = Callable[[Session, ContactAdded], Enclosure | None]
enclosures: Register[Enclosing] = Register("enclosures")


def encloses(function: Enclosing) -> Enclosing:
    """Mark a function that may add something to the welcome of an adding."""
    return enclosures.mark(function, function)


def enclose(content: Content, enclosed: Iterable[Enclosure]) -> tuple[Content, list[LeftOut]]:
    """`content` with what was enclosed, and what gave way to it."""
    each_of = list(enclosed)
    added = "\n\n".join(one.text for one in each_of if one.text)
    cards = [one.card for one in each_of if one.card]
    room = rules.MOST_ATTACHMENTS - len(cards)
    over_room = range(room, len(content.attachments))
    gave_way = [LeftOut("gave_way", str(place + 1)) for place in over_room]
    over = longest(content.text) + longest(added) + 2 - rules.TEXT_BYTES
    text = rules.fit(content.text, rules.size(content.text) - over) if added and over > 0 else content.text
    if text != content.text:
        gave_way.append(LeftOut("cut"))
    joined = "\n\n".join(filter(None, (text, added)))
    made = content.model_copy(update={"text": joined, "attachments": [*content.attachments[:room], *cards]})
    return made, gave_way
