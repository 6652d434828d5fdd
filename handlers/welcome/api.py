"""`/welcome-rules`: what a new friend is told, and when."""

from typing import Annotated, Any

from flask import Response
from pydantic import Field, ValidationError
from sqlalchemy import select

from bot.web.api import ABSENT, Answer, Body, ById, Flag, Listing, Moment, Paging, answers, reply, resource, words
from bot.web.cursors import page
from bot.web.edge import session
from bot.web.guard import needs
from bot.web.problems import of_validation
from handlers.messaging.content import Attachment, Content
from handlers.welcome import editing
from handlers.welcome.models import WelcomeRule
from handlers.welcome.when import WhenBody

api = resource(__name__, "welcome-rules")

Name = Annotated[str, words(60)]


class WelcomeRuleBody(Content):
    """A rule; without any condition it is the default."""

    name: Name
    when: WhenBody = Field(default_factory=WhenBody)
    enabled: Flag = True


class WelcomeRuleChange(Body):
    """What is sent replaces what was there; `when` and `attachments` as a whole."""

    name: Name = ABSENT
    when: WhenBody = ABSENT
    text: str = ABSENT
    attachments: list[Attachment] = ABSENT
    enabled: Flag = ABSENT


class WelcomeRuleAnswer(Answer):
    """A rule as it was saved."""

    id: str
    name: str
    when: dict[str, Any]
    text: str
    attachments: list[Attachment]
    enabled: Flag
    created_at: Moment


@api.post("/welcome-rules", responses=answers(WelcomeRuleAnswer, 201))
@needs("welcome-rules:write")
def post_welcome_rule(body: WelcomeRuleBody) -> Response:
    """Make a rule. Of the rules that apply to an adding the closest speaks."""
    content = Content(text=body.text, attachments=body.attachments)
    return reply(_answer(editing.make(session(), body.name, body.when, content, body.enabled)), 201)


@api.get("/welcome-rules", responses=answers(Listing[WelcomeRuleAnswer]))
@needs("welcome-rules:read")
def list_welcome_rules(query: Paging) -> Response:
    """All rules, newest first."""
    order = [WelcomeRule.__table__.c.id]
    rows, following = page(session(), select(WelcomeRule), order, query.limit, query.cursor, desc=True)
    return reply(Listing[WelcomeRuleAnswer](data=[_answer(row) for row in rows], next_cursor=following))


@api.get("/welcome-rules/<id>", responses=answers(WelcomeRuleAnswer))
@needs("welcome-rules:read")
def get_welcome_rule(path: ById) -> Response:
    """One rule."""
    return reply(_answer(editing.get(session(), path.number)))


@api.patch("/welcome-rules/<id>", responses=answers(WelcomeRuleAnswer))
@needs("welcome-rules:write")
def patch_welcome_rule(path: ById, body: WelcomeRuleChange) -> Response:
    """Change a rule, or switch it on or off."""
    kept = editing.get(session(), path.number)
    sent = body.model_dump(mode="json", by_alias=True, include=body.model_fields_set)
    merged = {"name": kept.name, "when": kept.when, "enabled": kept.enabled, **kept.content, **sent}
    try:
        whole = WelcomeRuleBody.model_validate(merged)
    except ValidationError as error:
        raise of_validation(error, merged) from None
    content = Content(text=whole.text, attachments=whole.attachments)
    return reply(_answer(editing.change(session(), path.number, whole.name, whole.when, content, whole.enabled)))


@api.delete("/welcome-rules/<id>", responses=answers(None, 204))
@needs("welcome-rules:write")
def delete_welcome_rule(path: ById) -> Response:
    """Delete a rule."""
    editing.delete(session(), path.number)
    return reply(None)


def _answer(rule: WelcomeRule) -> WelcomeRuleAnswer:
    content = Content.model_validate(rule.content)
    return WelcomeRuleAnswer(
        id=str(rule.id), name=rule.name, when=rule.when, text=content.text, attachments=content.attachments,
        enabled=rule.enabled, created_at=rule.created_at,
    )  # fmt: skip
