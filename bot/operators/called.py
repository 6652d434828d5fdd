"""What people call the things that records name by id: `operator:12`, `member:lily`, `live_code:3` (G4, C9).

    @called("live_code")
    def codes(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]: ...      # {"3": "渠道活码「门店A」"}

Whatever a record may name is closed and never deleted, so it has its name for ever.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.feature import Register
from bot.core.i18n import say
from bot.operators.models import ApiKey, Operator

Namer = Callable[[Session, Sequence[str], str], Mapping[str, str]]
namers: Register[tuple[str, Namer]] = Register("namers")


def called(kind: str) -> Callable[[Namer], Namer]:
    """Mark a function `(session, ids, lang)` that says what those of `kind` are called; lang: zh_CN, zh_TW or en."""
    return lambda function: namers.mark(function, (kind, function))


def names(session: Session, things: Iterable[str], lang: str) -> dict[str, str]:
    """Words for each `kind:id` among `things` that somebody has a name for, with one query a kind."""
    ids: dict[str, list[str]] = {}
    for kind, _, its_id in (one.partition(":") for one in set(things)):
        ids.setdefault(kind, []).append(its_id)
    return {
        f"{kind}:{its_id}": words
        for kind, name in namers if kind in ids
        for its_id, words in name(session, ids[kind], lang).items()
    }  # fmt: skip


def numbers(ids: Collection[str]) -> list[int]:
    """Those of the ids that are ids of rows."""
    return [int(one) for one in ids if one.isdecimal()]


@called("operator")
def operators(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(Operator.id, Operator.name).where(Operator.id.in_(numbers(ids))))
    return {str(its_id): say(lang, "操作员 %(name)s", name=name) for its_id, name in found}


@called("api")
@called("api_key")
def api_keys(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(ApiKey.id, ApiKey.name).where(ApiKey.id.in_(numbers(ids))))
    return {str(its_id): say(lang, "接口 %(name)s", name=name) for its_id, name in found}
