"""Rules to start from, as data: what a shop asks for first.

`tag:复购` stands for the id of the tag of that name in the group `GROUP`, which is made where it is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from bot.core.errors import NotFound
from bot.core.i18n import say
from tags.autotag import service
from tags.autotag.models import TagRule
from tags.autotag.reading import Draft
from tags.conditions.triggers import Said
from tags.tagging import groups

GROUP = "自动标签"
MARK = "tag:"


@dataclass(frozen=True)
class Preset:
    """One of them. name, about: in a language (zh_CN, zh_TW, en); when, if_, then: as the API takes them."""

    name: Said
    about: Said
    when: Mapping[str, Any]
    then: tuple[Mapping[str, Any], ...]
    if_: Mapping[str, Any] | None = None


PRESETS: Mapping[str, Preset] = {
    "repeat": Preset(
        lambda lang: say(lang, "复购"), lambda lang: say(lang, "买过 2 次就打「复购」"),
        {"event": "order.paid"}, ({"add_tag": "tag:复购"},), {"orders": {"count": {"gte": 2}}},
    ),
    "big_order": Preset(
        lambda lang: say(lang, "大单"), lambda lang: say(lang, "一单满 500 元就打「大单」"),
        {"event": "order.paid", "total_fen": {"gte": 50_000}}, ({"add_tag": "tag:大单"},),
    ),
    "refunded": Preset(
        lambda lang: say(lang, "退过款"), lambda lang: say(lang, "退款就打「退过款」，并通知跟进成员"),
        {"event": "order.refunded"},
        ({"add_tag": "tag:退过款"}, {"notify_staff": "她退款了，问问哪里不满意"}),
    ),
    "price": Preset(
        lambda lang: say(lang, "问价格"), lambda lang: say(lang, "问多少钱、有没有优惠就打「关注价格」"),
        {"event": "message.received", "match": {"kind": "contains", "words": ["多少钱", "价格", "优惠", "打折"]}},
        ({"add_tag": "tag:关注价格"},),
    ),
    "silent": Preset(
        lambda lang: say(lang, "沉默的客户"), lambda lang: say(lang, "90 天没动静就打「沉默」"),
        {"event": "customer.silent", "days": 90}, ({"add_tag": "tag:沉默"},),
    ),
    "back": Preset(
        lambda lang: say(lang, "回来了"), lambda lang: say(lang, "沉默的客户又下单，换成「唤醒」"),
        {"event": "order.paid"}, ({"remove_tag": "tag:沉默"}, {"add_tag": "tag:唤醒"}), {"tag": "tag:沉默"},
    ),
    "in_group": Preset(
        lambda lang: say(lang, "进群的客户"), lambda lang: say(lang, "进了客户群就打「群友」"),
        {"event": "group.joined"}, ({"add_tag": "tag:群友"},),
    ),
    "left": Preset(
        lambda lang: say(lang, "删了好友"), lambda lang: say(lang, "删掉所有成员的客户打「已流失好友」"),
        {"event": "contact.left"}, ({"add_tag": "tag:已流失好友"},), {"contact": "lost"},
    ),
    "rich": Preset(
        lambda lang: say(lang, "积分多"), lambda lang: say(lang, "每周一早上，积分满 5,000 的打「积分多」"),
        {"event": "schedule", "at": "09:00", "weekdays": [1]}, ({"add_tag": "tag:积分多"},),
        {"balance": {"gte": 5_000}},
    ),
}  # fmt: skip


def use(session: Session, key: str, lang: str) -> TagRule:
    """A rule made of a preset, switched off until it is looked at; its tags too. Raises NotFound."""
    preset = PRESETS.get(key)
    if preset is None:
        raise NotFound(f"there is no preset {key}")
    when, if_, then = (_filled(session, one) for one in (preset.when, preset.if_, list(preset.then)))
    return service.make(session, Draft(preset.name(lang), when, if_, then, enabled=False))


def _filled(session: Session, data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _filled(session, value) for key, value in data.items()}
    if isinstance(data, list):
        return [_filled(session, one) for one in data]
    return str(_tag(session, data.removeprefix(MARK))) if isinstance(data, str) and data.startswith(MARK) else data


def _tag(session: Session, name: str) -> int:
    its = next((one for one in groups.all_groups(session) if (one[0].kind, one[0].name) == ("profile", GROUP)), None)
    group, tags = its or (groups.create_group(session, GROUP, "profile", False, ()), [])
    found = next((tag for tag in tags if tag.name == name), None)
    return (found or groups.create_tag(session, group.id, name)).id
