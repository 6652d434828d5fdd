"""How rows name customers: by the same five values as requests do, several of one row being all hers (C1, C2)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Problem
from bot.core.sets import run
from tags.imports.kinds import Batch, Field
from tags.imports.reasons import Bad, Reason, reason
from tags.imports.values import phone, whole, word
from tags.people import many
from tags.people.many import Person

KEYS = ("customer_id", "unionid", "phone", "shop_customer_id", "external_userid")

TOUCH = """
INSERT INTO touches (customer_id, at, channel, state, detail)
SELECT c, at, 'import', '', %(detail)s::jsonb FROM unnest(%(ids)s::bigint[], %(ats)s::timestamptz[]) AS u(c, at)
"""


def selectors() -> list[Field]:
    """The fields that say who a row is about; those of one row are all hers."""
    return [
        Field(
            "phone", _l("手机号"),
            "手机 / 手机号码 / 电话 / 联系电话 / 收货人手机 / 收货人手机号 / mobile / tel / phone number",
            phone, "13800138000",
        ),
        Field(
            "shop_customer_id", _l("商城客户号"),
            "客户编号 / 会员号 / 会员编号 / 会员卡号 / 买家ID / 用户ID / customer / member id / user id",
            word(128), "U10086",
        ),
        Field("unionid", _l("unionid"), "union id", word(128)),
        Field("external_userid", _l("外部联系人 ID"), "external userid / 外部联系人", word(128)),
        Field("customer_id", _l("客户 ID"), "复购客户ID", whole(1, 10**13)),
    ]  # fmt: skip


def person(
    batch: Batch, said: Sequence[tuple[str, Any]], name: str | None, at: datetime | None, *, only_find: bool = False
) -> Person:
    """Whom a row means. said: what it has of `KEYS`, in their order. at: of the touch that makes her known.

    Raises Bad where it names nobody.
    """
    if not said:
        named = "、".join(batch.heads[key] for key in KEYS if key in batch.heads)
        raise Bad(Reason("至少填一项，才知道是哪位客户", column=named))
    if said[0][0] == "customer_id":
        return Person((("customer_id", str(said[0][1])),), name or "", at, only_find)
    return Person(tuple(said), name or "", at, only_find)


@dataclass(frozen=True)
class Meant:
    """Who each row is about, or why that can't be said; who was made, and to whom identities were added.

    None is whom a row means that only finds, and found nobody.
    """

    whose: list[int | Reason | None]
    made: set[int]
    richer: set[int]


def meant(session: Session, batch: Batch, persons: Sequence[Person]) -> Meant:
    """Who each of these is, all locked in one order, made where nobody is; who is made came by this import (C1)."""
    met = many.known(session, persons, "import")
    if met.made:
        _touch(session, batch, persons, met)
    said = zip(met.whose, persons, strict=True)
    whose = [known if isinstance(known, int) else _said(known, one) for known, one in said]
    return Meant(whose, met.made, met.richer)


def _said(known: Problem | None, one: Person) -> Reason | None:
    if isinstance(known, Problem):
        return reason("%(detail)s", detail=known.detail)
    return None if one.only_find else reason("没有 ID 为 %(id)s 的客户", id=one.identities[0][1])


def _touch(session: Session, batch: Batch, persons: Sequence[Person], met: many.Met) -> None:
    first: dict[int, datetime] = {}
    for one, whose in zip(persons, met.whose, strict=True):
        if isinstance(whose, int) and whose in met.made:
            at = one.at or clock.now()
            first[whose] = min(first.get(whose, at), at)
    if first:
        detail = {"name": batch.source, "import_id": batch.import_id}
        run(session, TOUCH, ids=list(first), ats=list(first.values()), detail=json.dumps(detail))
