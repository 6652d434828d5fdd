"""`/tag-rules`: what is done for a customer by itself (T3)."""

from collections.abc import Sequence
from typing import Annotated, Any

from flask import Response
from pydantic import Field

from bot.web.api import ABSENT, Answer, Body, ById, Flag, Listing, Moment, Paging, Whole, answers, reply, resource
from bot.web.cursors import page
from bot.web.edge import session
from bot.web.guard import needs
from tags.autotag import gone, preview, reading, records, service
from tags.autotag.models import TagRule
from tags.autotag.reading import Draft
from tags.people.models import Customer
from tags.segments.api import MemberAnswer

api = resource(__name__, "tag-rules")

Name = Annotated[str, Field(min_length=1, max_length=60)]
Json = Annotated[dict[str, Any], Field(description="an object")]
When = Annotated[
    Json, Field(description="event: one of the contract's names, and filters of that event", examples=[
        {"event": "order.paid", "category": ["咖啡"]}, {"event": "schedule", "at": "09:00", "weekdays": [1]},
    ])
]  # fmt: skip
If = Annotated[Json | None, Field(description="a condition tree; null: whoever she is")]
Then = Annotated[list[Json], Field(description="actions, done in order", examples=[[{"add_tag": "12"}]])]
Days = Annotated[Whole, Field(ge=1, le=366)]


class TagRuleBody(Body):
    """A rule."""

    name: Name
    when: When
    if_: If = Field(default=None, alias="if")
    then: Then
    enabled: Flag = True

    def draft(self) -> Draft:
        return Draft(self.name, self.when, self.if_, self.then, self.enabled)


class TagRuleChange(Body):
    """What is sent changes; `"if": null` takes the condition away."""

    name: Name = ABSENT
    when: When = ABSENT
    if_: If = Field(default=None, alias="if")
    then: Then = ABSENT
    enabled: Flag = ABSENT


class DryRunBody(Body):
    """A rule, saved or not, and how many days back it is tried."""

    rule: TagRuleBody
    days: Days = 30


class LastHit(Answer):
    """When a rule was last done, and for whom."""

    at: Moment
    customer_id: str
    name: str


class TagRuleAnswer(Answer):
    """A rule. words: it in Chinese. stopped: why the engine switched it off, or empty."""

    id: str
    name: str
    when: dict[str, Any]
    if_: dict[str, Any] | None = Field(alias="if")
    then: list[dict[str, Any]]
    enabled: Flag
    stopped: str
    version: int
    words: str
    hits_7_days: int
    failed_7_days: int
    last_hit: LastHit | None
    created_at: Moment


class DryRunAnswer(Answer):
    """Customers whom the rule would have hit, their conditions asked of them as they are now; `sample`: the latest 20.

    changed: for how many of them its actions would change anything now.
    """

    count: int
    changed: int
    sample: list[MemberAnswer]


class VersionAnswer(Answer):
    """One change of a rule: who made it, what it was before and is after; null before the first, after the last."""

    version: int
    at: Moment
    by: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@api.post("/tag-rules", responses=answers(TagRuleAnswer, 201))
@needs("tag-rules:write")
def post_rule(body: TagRuleBody) -> Response:
    """Make a rule. Rules that would set off each other without end are a 422 whose `cycle` names them."""
    return reply(_answers([service.make(session(), body.draft())])[0], 201)


@api.post("/tag-rules/preview", responses=answers(DryRunAnswer))
@needs("tag-rules:read")
def preview_rule(body: DryRunBody) -> Response:
    """Whom a rule would have hit in the last days; nothing is done."""
    read = reading.checked(session(), body.rule.draft(), "/rule")
    found = preview.look(session(), read, body.days)
    return reply(DryRunAnswer(count=found.count, changed=found.changed, sample=list(map(_member, found.sample))))


@api.get("/tag-rules", responses=answers(Listing[TagRuleAnswer]))
@needs("tag-rules:read")
def list_rules(query: Paging) -> Response:
    """All rules, newest first."""
    order = [TagRule.__table__.c.id]
    rows, following = page(session(), service.listing(), order, query.limit, query.cursor, desc=True)
    return reply(Listing[TagRuleAnswer](data=_answers(rows), next_cursor=following))


@api.get("/tag-rules/<id>", responses=answers(TagRuleAnswer))
@needs("tag-rules:read")
def get_rule(path: ById) -> Response:
    """One rule."""
    return reply(_answers([service.get(session(), path.number)])[0])


@api.get("/tag-rules/<id>/versions", responses=answers(Listing[VersionAnswer]))
@needs("tag-rules:read")
def list_versions(path: ById) -> Response:
    """Every change of a rule, newest first."""
    service.get(session(), path.number)
    kept = service.versions(session(), path.number)
    made = [
        VersionAnswer(version=one.version, at=one.at, by=one.by, before=one.before, after=one.after) for one in kept
    ]
    return reply(Listing[VersionAnswer](data=made, next_cursor=None))


@api.patch("/tag-rules/<id>", responses=answers(TagRuleAnswer))
@needs("tag-rules:write")
def patch_rule(path: ById, body: TagRuleChange) -> Response:
    """Change a rule, or switch it on or off; each change is a version."""
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    return reply(_answers([service.change(session(), path.number, **sent)])[0])


@api.delete("/tag-rules/<id>", responses=answers(None, 204))
@needs("tag-rules:write")
def delete_rule(path: ById) -> Response:
    """Give a rule up; what it did stays."""
    service.delete(session(), path.number)
    return reply(None)


def _answers(rules: Sequence[TagRule]) -> list[TagRuleAnswer]:
    hits = records.of_rules(session(), [rule.id for rule in rules])
    return [_answer(rule, hits[rule.id]) for rule in rules]


def _answer(rule: TagRule, hits: records.Hits) -> TagRuleAnswer:
    last = hits.last
    return TagRuleAnswer.model_validate({
        "id": str(rule.id), **reading.draft_of(rule).json(), "version": rule.version,
        "stopped": gone.why(session(), rule.stopped, "en"),
        "words": "".join(records.words(session(), rule, "zh_CN")), "created_at": rule.created_at,
        "hits_7_days": hits.week, "failed_7_days": hits.failed,
        "last_hit": LastHit(at=last.at, customer_id=str(last.customer_id), name=last.name) if last else None,
    })  # fmt: skip


def _member(customer: Customer) -> MemberAnswer:
    return MemberAnswer(id=str(customer.id), name=customer.name)
