"""Points from a file, such as what an old system owed: each row gives points once, with an end if it says one.

A row is known by its `entry_id`, or else by what it says of whom: rows that are equal in everything count once (G5).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.crypto import fingerprint
from bot.core.events import history
from bot.core.installation import installation_of
from handlers.points import adjust
from tags.imports import people
from tags.imports.kinds import Batch, Field, Outcome, importer
from tags.imports.reasons import Bad, Reason, reason
from tags.imports.values import Reader, day, whole, word

MOST_POINTS = 10**12


def fields(session: Session) -> Sequence[Field]:
    """What a column of a file of points may be."""
    return [
        *people.selectors(),
        Field("points", _l("积分"), "积分余额 / 可用积分 / 剩余积分 / balance", whole(1, MOST_POINTS), "1200"),
        Field(
            "expires_at", _l("有效期至"), "到期日 / 过期时间 / 失效日期 / expires / expiry date / valid until",
            _ends(session), "2027-12-31",
        ),
        Field("reason", _l("说明"), "原因 / 备注 / 类型 / note / remark", word(200), "旧系统结转"),
        Field("entry_id", _l("流水号"), "流水 / 记录号 / entry / transaction id", word(128), "P20261124001"),
    ]  # fmt: skip


@importer("points", _l("积分"), permission="points:write", fields=fields, needed=(people.KEYS, ("points",)))
def take(session: Session, batch: Batch) -> Outcome:
    """Give the points of a batch, each row's once, as history."""
    persons = {}
    for at in batch.good:
        said = [(key, batch.columns[key][at]) for key in people.KEYS if key in batch.columns]
        try:
            if batch.column("points")[at] is None:
                raise Bad(Reason("不能为空", column=batch.heads["points"]))
            persons[at] = people.person(batch, [one for one in said if one[1] is not None], None, None, only_find=True)
        except Bad as bad:
            batch.reject(at, bad.reason)
    whose = people.meant(session, batch, list(persons.values())).whose
    gifts = []
    for at, who in zip(persons, whose, strict=True):
        if isinstance(who, int):
            gifts.append(_gift(batch, at, who))
        else:
            batch.reject(at, who or reason("没有这位客户：先导入客户或订单，再导入积分"))
    with history(session):
        given = adjust.give_all(session, gifts)
    return Outcome(new=given, same=len(gifts) - given)


def _gift(batch: Batch, at: int, customer_id: int) -> adjust.Gift:
    points, ends_at = batch.column("points")[at], batch.column("expires_at")[at]
    words, entry_id = batch.column("reason")[at] or "", batch.column("entry_id")[at]
    said: list[Any] = [entry_id] if entry_id is not None else [points, ends_at and ends_at.isoformat(), words]
    who = "" if entry_id is not None else "/".join(
        f"{key}={batch.columns[key][at]}" for key in people.KEYS if key in batch.columns
    )  # fmt: skip
    key = fingerprint("\\0".join(map(str, [who, *said])).encode())[:32]
    return adjust.Gift(customer_id, points, words or batch.source, ends_at, f"import:{key}")


def _ends(session: Session) -> Reader:
    zone = installation_of(session).settings.timezone

    def ends(cell: str) -> datetime:
        """The last day the points can be spent on: they end at the next local midnight, exclusive (P1)."""
        end = datetime.combine(day(cell) + timedelta(days=1), datetime.min.time(), zone)
        if end <= clock.now():
            raise Bad(reason("已经过期，不用导入"))
        return end

    return ends
