"""What rules may do by messages: send her something (T3, W7)."""

from collections.abc import Iterator

from pydantic import Field
from sqlalchemy.orm import Session

from bot.core.errors import Fault, Unacceptable
from bot.core.i18n import say
from handlers.materials import media
from handlers.materials import service as materials
from handlers.materials.service import Holder
from handlers.messaging import rules, service
from handlers.messaging.content import Content, check_materials, material_ids
from tags.autotag import current
from tags.autotag import service as autotag
from tags.conditions.actions import Action, Fired, action
from tags.conditions.controls import Control, Kept, Text
from tags.consents import service as consents
from tags.people import staff

SHOWN = 40  # characters of the text, in a rule's sentence


@action(lambda lang: say(lang, "发消息"))
class Send(Action, key="send"):
    """She gets a message, as soon as a carrier may take it; not where she asked for no marketing (S1)."""

    send: Content = Field(description="text with placeholders, and attachments")

    def faults(self, session: Session) -> Iterator[Fault]:
        """Materials that are not there or of another kind."""
        try:
            check_materials(session, self.send, "/send")
        except Unacceptable as problem:
            yield from problem.faults

    def do(self, session: Session, fired: Fired) -> None:
        """As every action's."""
        dedupe = f"{fired.source}:{fired.hit_id}"
        if consents.in_force(session, fired.customer_id, "marketing") == "withdrawn":
            service.leave_out(session, fired.customer_id, "marketing", self.send, dedupe, rules.UNWANTED)
            return
        member = next(iter(staff.followers(session, fired.customer_id)), None)
        service.deliver(session, fired.customer_id, "marketing", self.send, dedupe, member)

    def words(self, session: Session, lang: str) -> str:
        """As every action's."""
        if not self.send.text:
            return say(lang, "发一条消息（%(count)s 个附件）", count=len(self.send.attachments))
        text = self.send.text if len(self.send.text) <= SHOWN else self.send.text[:SHOWN] + "…"
        return say(lang, "发消息「%(words)s」", words=text)

    @classmethod
    def controls(cls, session: Session, lang: str) -> list[Control]:
        """As every action's. Attachments are put in by the API, and stay."""
        return [Text("send.text", say(lang, "说什么")), Kept("send.attachments", say(lang, "附件"), optional=True)]


@media.uses
def carried(session: Session) -> set[int]:
    """Materials in the rules that are on."""
    sent = (one.send for rule in current.on(session) for one in rule.read.actions if isinstance(one, Send))
    return material_ids(sent)


@materials.holds
def held(session: Session) -> Iterator[tuple[int, Holder]]:
    """Materials in rules, also in those that are off."""
    for rule in autotag.everything(session):
        for one in rule.read.actions:
            for material_id in material_ids([one.send]) if isinstance(one, Send) else ():
                yield material_id, Holder("rule", rule.name)
