"""Whom we talk to: her id in 微信客服 is known, or her unionid, or a link made for her says so, or she is new (C2)."""

from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.installation import Installation
from bot.wecom import kf
from bot.wecom.client import WeCom
from bot.wecom.errors import WeComError
from bot.wecom.kf_messages import KfEntered, KfMessage
from tags.people import service as people
from tags.people.identify import identify, recognise
from tags.people.models import Identity
from tags.people.profile import GENDERS
from tags.people.touches import touch

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Seen:
    """What was read before the transaction. profile: of `kf/customer/batchget`, empty where she is known already.

    service_state: of her session, None where nobody asked because the bot has it.
    """

    profile: dict[str, Any] = field(default_factory=dict)
    service_state: int | None = None


def read_profile(installation: Installation, wecom: WeCom, external_userid: str) -> dict[str, Any]:
    """Her nickname, avatar, gender and unionid, where her id is new to us; empty where WeCom does not say."""
    with installation.transaction("system") as session:
        if people.owner(session, "external_userid", external_userid) is not None:
            return {}
    try:
        return next(iter(wecom.kf.batchget_customer([external_userid])), {})
    except WeComError as error:
        log.info("met without a profile", external_userid=external_userid, error=str(error))
        return {}


def meet(
    session: Session, message: KfMessage | KfEntered, seen: Seen, *, scene: str = "", scene_param: str = ""
) -> int:
    """The customer behind a message; who is nobody's contact becomes a stranger, whose source is 微信客服 (C1)."""
    new = people.owner(session, "external_userid", message.external_userid) is None
    name, unionid = seen.profile.get("nickname") or "", seen.profile.get("unionid") or ""
    if new and scene_param:
        _believe(session, message.external_userid, scene_param, name, unionid)
    customer_id = recognise(session, message.external_userid, unionid, name)
    if new:
        hers = people.customer(session, customer_id)
        hers.avatar = hers.avatar or seen.profile.get("avatar") or ""
        hers.gender = hers.gender or GENDERS.get(seen.profile.get("gender", 0), "")
    if new or (scene and scene != kf.SCENE):
        touch(session, customer_id, "kf", at=message.at, state=scene, detail={"open_kfid": message.open_kfid})
    return customer_id


def _believe(session: Session, external_userid: str, scene_param: str, name: str, unionid: str) -> None:
    """A link made for a customer tells who opens it, unless it was passed on: another unionid, another nickname."""
    signed = kf.whose(session, scene_param)
    if signed is None:
        return
    hers = people.customer(session, signed)
    known = session.scalar(
        select(Identity.value).where(Identity.customer_id == hers.id, Identity.kind == "unionid").limit(1)
    )
    same = unionid == known if unionid and known else bool(name) and name == hers.name
    if same:
        identify(session, hers.id, "external_userid", external_userid, source="wecom")
