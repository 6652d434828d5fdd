"""打标签 and 摘标签 for many customers at once (T2)."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.events import EventRow
from bot.core.i18n import say
from bot.web.forms import Form
from tags.people.bulk import Bulk, Json, bulk, source_of
from tags.people.models import BulkRun
from tags.people.names import name_key
from tags.tagging import groups, service
from tags.tagging.events import TagAdded, TagRemoved
from tags.tagging.models import Tag


class AboutTags(Bulk):
    """What both have in common: the tags that are chosen, and the way back."""

    permission, part, undoes = "tags:write", "tagging/_bulk.html", True

    def context(self, session: Session) -> Json:
        """The tags that a person may put on and take off."""
        editable = [(group, tags) for group, tags in groups.all_groups(session) if group.kind != "computed"]
        return {"groups": [
            (group.name, group.single_choice, [(str(tag.id), tag.name, name_key(tag.name)) for tag in tags])
            for group, tags in editable if tags
        ]}  # fmt: skip

    def read(self, session: Session, form: Form) -> Json:
        """The ids of the chosen tags."""
        among = [tag_id for _group, _single, tags in self.context(session)["groups"] for tag_id, *_more in tags]
        chosen = form.choices("tag", _("标签"), among, optional=False)
        return {"tags": [int(one) for one in chosen]} if not form.errors else {}

    def called(self, session: Session, values: Json) -> str:
        """The names of the tags."""
        found = dict(session.execute(select(Tag.id, Tag.name).where(Tag.id.in_(values["tags"]))).all())
        return "、".join(found.get(one, str(one)) for one in values["tags"])

    def touched(self, session: Session, run: BulkRun, after: int, limit: int) -> Sequence[int]:
        """As every action's."""
        whose = select(EventRow.customer_id).where(*_of_run(run), EventRow.customer_id > after)
        return list(session.scalars(whose.distinct().order_by(EventRow.customer_id).limit(limit)))

    def undo(self, session: Session, customer_ids: Sequence[int], run: BulkRun) -> int:
        """Take off what the run put on and put back what it took off, unless the tag is gone since."""
        did = select(EventRow.customer_id, EventRow.name, EventRow.data).where(
            *_of_run(run), EventRow.customer_id.in_(customer_ids)
        )
        there = set(session.scalars(select(Tag.id).where(Tag.deleted_at.is_(None))))
        of_each: dict[int, dict[str, list[int]]] = {one: {} for one in customer_ids}
        for customer_id, name, data in session.execute(did):
            if data["tag_id"] in there:
                of_each[customer_id].setdefault(name, []).append(data["tag_id"])
        changed = [
            service.change(
                session, customer_id, add=found.get(TagRemoved.name, []), remove=found.get(TagAdded.name, []),
                source=f"{source_of(run)}:undo", why=say("zh_CN", "批量操作撤销"),
            )
            for customer_id, found in of_each.items()
        ]  # fmt: skip
        return sum(1 for new, gone in changed if new or gone)


@bulk
class TagOn(AboutTags):
    """Put tags on."""

    name, label, icon = "tag_on", _l("打标签"), "tags"

    def words(self, session: Session, values: Json, lang: str) -> str:
        """As every action's."""
        return say(lang, "打标签「%(tags)s」", tags=self.called(session, values))

    def do(self, session: Session, customer_ids: Sequence[int], values: Json, source: str) -> int:
        """As every action's."""
        return sum(1 for one in service.change_all(session, customer_ids, add=values["tags"], source=source) if one.new)


@bulk
class TagOff(AboutTags):
    """Take tags off."""

    name, label, icon = "tag_off", _l("摘标签"), "minus"

    def words(self, session: Session, values: Json, lang: str) -> str:
        """As every action's."""
        return say(lang, "摘标签「%(tags)s」", tags=self.called(session, values))

    def do(self, session: Session, customer_ids: Sequence[int], values: Json, source: str) -> int:
        """As every action's."""
        return sum(
            1 for one in service.change_all(session, customer_ids, remove=values["tags"], source=source) if one.gone
        )


def _of_run(run: BulkRun) -> tuple[Any, ...]:
    """The events in which a run put tags on and took them off."""
    names = EventRow.name.in_((TagAdded.name, TagRemoved.name))
    return names, EventRow.at >= run.begun_at, EventRow.data.contains({"source": source_of(run)})
