"""Customers from a file: found by any of what identifies them, made where nobody is; what the file says is set (C1–C3).

Of two rows that say different things of one customer the first counts and the other is rejected: else the same file
again would change her back and forth (G5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce_all, history
from bot.core.installation import installation_of
from bot.core.sets import run
from tags.fields import rules as field_rules
from tags.fields import service as custom
from tags.fields.models import CustomField
from tags.imports import people
from tags.imports.events import CustomerImported
from tags.imports.kinds import Batch, Field, Outcome, importer
from tags.imports.reasons import Bad, Reason, reason
from tags.imports.values import Reader, day, gender, moment, one_of, word
from tags.people.events import CustomerChanged
from tags.people.names import name_key

OURS = ("name", "gender", "birthday", "city", "language")
LANGUAGES = {
    "zh-cn": "zh-CN",
    "zh-tw": "zh-TW",
    "en": "en",
    "中文": "zh-CN",
    "简体": "zh-CN",
    "繁体": "zh-TW",
    "英文": "en",
}
OLDEST = date(1900, 1, 1)
CUSTOM = "field."  # before the key of a field that the brand defined


def fields(session: Session) -> Sequence[Field]:
    """What a column of a file of customers may be."""
    zone = installation_of(session).settings.timezone
    return [
        *people.selectors(),
        Field(
            "name", _l("姓名"), "客户姓名 / 昵称 / 客户昵称 / 微信昵称 / customer name / nickname", word(128), "陈静怡"
        ),
        Field("gender", _l("性别"), "sex", gender, "女"),
        Field("birthday", _l("生日"), "出生日期 / 出生年月日 / birth date / date of birth / dob", _born, "1992-05-04"),
        Field("city", _l("城市"), "所在城市 / 地区 / town", word(128), "上海"),
        Field("language", _l("语言"), "lang", one_of(LANGUAGES), "zh-CN"),
        Field(
            "since", _l("成为客户时间"), "注册时间 / 入会时间 / 注册日期 / 开卡时间 / registered at / joined",
            _past(moment(zone)), "2025-01-31",
        ),
        *(Field(CUSTOM + one.key, one.name, one.key, _custom(one)) for one in custom.all_fields(session)),
    ]  # fmt: skip


@dataclass
class _Her:
    """What the rows so far say of one customer, and which rows: by place in the batch."""

    said: dict[str, Any]
    rows: list[int]


@importer("customers", _l("客户"), permission="customers:write", fields=fields, needed=(people.KEYS,))
def take(session: Session, batch: Batch) -> Outcome:
    """Find or make the customers of a batch and set what is said of them."""
    persons = {}
    for at in batch.good:
        said = [(key, batch.columns[key][at]) for key in people.KEYS if key in batch.columns]
        try:
            persons[at] = people.person(
                batch, [one for one in said if one[1] is not None], batch.column("name")[at], batch.column("since")[at]
            )
        except Bad as bad:
            batch.reject(at, bad.reason)
    met = people.meant(session, batch, list(persons.values()))
    who_at = {at: who for at, who in zip(persons, met.whose, strict=True) if isinstance(who, int)}
    for at, who in zip(persons, met.whose, strict=True):
        if isinstance(who, Reason):
            batch.reject(at, who)
    known = _known(session, batch, set(who_at.values()))
    hers = _gathered(session, batch, who_at, known)
    changed = _set(session, batch, {who: her.said for who, her in hers.items()}, known)
    _tell(session, batch, changed, met.made)
    outcome = Outcome(customers=set(hers))
    for who, her in hers.items():
        if who in met.made:
            outcome.new += len(her.rows)
        elif who in changed or who in met.richer:
            outcome.changed += len(her.rows)
        else:
            outcome.same += len(her.rows)
    return outcome


def _gathered(
    session: Session, batch: Batch, who_at: dict[int, int], known: dict[int, dict[str, Any]]
) -> dict[int, _Her]:  # fmt: skip
    """What the rows say of each customer; a row that says otherwise than one above is rejected."""
    earlier = {who: known[who] for who in _of_rows_above(session, batch, known)}
    hers: dict[int, _Her] = {}
    for at, who in who_at.items():
        said = {key: column[at] for key, column in batch.columns.items() if _is_set(key) and column[at] is not None}
        above = {**earlier.get(who, {}), **(hers[who].said if who in hers else {})}
        differing = next((key for key, value in said.items() if above.get(key, value) != value), None)
        if differing is not None:
            batch.reject(at, Reason("与前面关于这位客户的一行不同", column=batch.heads[differing]))
            continue
        her = hers.setdefault(who, _Her({}, []))
        her.said |= said
        her.rows.append(at)
    return hers


def _is_set(key: str) -> bool:
    return key in OURS or key.startswith(CUSTOM)


KNOWN = "SELECT id, name, gender, birthday, city, language FROM customers WHERE id = ANY(%(ids)s)"
ABOVE = "SELECT customer_id FROM import_members WHERE import_id = %(import_id)s AND customer_id = ANY(%(ids)s)"


def _known(session: Session, batch: Batch, ids: set[int]) -> dict[int, dict[str, Any]]:
    """What is known of these customers in the fields of the file, without what is empty."""
    found: dict[int, dict[str, Any]] = {}
    custom_values = custom.values_of(session, list(ids)) if any(key.startswith(CUSTOM) for key in batch.columns) else {}
    fields_by_key = {one.key: one for one in custom.all_fields(session)} if custom_values else {}
    for customer_id, *values in run(session, KNOWN, ids=list(ids)):
        hers = dict(zip(OURS, values, strict=True))
        for key, value in custom_values.get(customer_id, {}).items():
            one = fields_by_key[key]
            hers[CUSTOM + key] = field_rules.of_json(one.type, [str(value)], value)  # type: ignore[arg-type]
        found[customer_id] = {key: value for key, value in hers.items() if value not in ("", None)}
    return found


def _of_rows_above(session: Session, batch: Batch, known: dict[int, Any]) -> set[int]:
    """Those whom rows of earlier chunks of this file were about."""
    rows = run(session, ABOVE, import_id=batch.import_id, ids=list(known))
    return {customer_id for (customer_id,) in rows}


UPDATE = """
UPDATE customers t SET name = coalesce(u.n, t.name), name_key = coalesce(u.k, t.name_key),
    gender = coalesce(u.g, t.gender), birthday = coalesce(u.b, t.birthday), city = coalesce(u.t, t.city),
    language = coalesce(u.l, t.language)
FROM unnest(%(ids)s::bigint[], %(names)s::text[], %(keys)s::text[], %(genders)s::text[], %(birthdays)s::date[],
    %(cities)s::text[], %(languages)s::text[]) AS u(c, n, k, g, b, t, l) WHERE t.id = u.c
"""


def _set(
    session: Session, batch: Batch, said: dict[int, dict[str, Any]], known: dict[int, dict[str, Any]]
) -> dict[int, list[str]]:  # fmt: skip
    """Set what is said of customers; who changed, and in which fields."""
    differing = {
        who: {key: value for key, value in hers.items() if known[who].get(key, "") != value}
        for who, hers in said.items()
    }
    changed = {who: sorted(hers) for who, hers in differing.items() if hers}
    ours = {who: hers for who, hers in differing.items() if hers.keys() & set(OURS)}
    if ours:
        columns = [[hers.get(key) for hers in ours.values()] for key in OURS]
        names, genders, birthdays, cities, languages = columns
        keys = [None if name is None else name_key(name) for name in names]
        run(session, UPDATE, ids=list(ours), names=names, keys=keys, genders=genders, birthdays=birthdays,
            cities=cities, languages=languages)  # fmt: skip
    if any(key.startswith(CUSTOM) for key in batch.columns):
        ids = {one.key: one.id for one in custom.all_fields(session)}
        custom.set_values(session, [
            custom.Setting(who, ids[key.removeprefix(CUSTOM)], value)
            for who, hers in differing.items() for key, value in hers.items() if key.startswith(CUSTOM)
        ])  # fmt: skip
    return changed


def _tell(session: Session, batch: Batch, changed: dict[int, list[str]], made: set[int]) -> None:
    with history(session):
        announce_all(session, [
            *(CustomerImported(customer_id=who, import_id=batch.import_id, file=batch.source) for who in sorted(made)),
            *(CustomerChanged(customer_id=who, fields=[key.removeprefix(CUSTOM) for key in fields])
              for who, fields in sorted(changed.items()) if who not in made),
        ])  # fmt: skip


def _born(cell: str) -> date:
    born = day(cell)
    if not OLDEST <= born <= clock.now().date():
        raise Bad(reason("应在 %(oldest)s 与今天之间", oldest=OLDEST.isoformat()))
    return born


def _past(read: Reader) -> Reader:
    def past(cell: str) -> datetime:
        at: datetime = read(cell)
        if at > clock.now():
            raise Bad(reason("不能晚于现在"))
        return at

    return past


def _custom(one: CustomField) -> Reader:
    def read(cell: str) -> field_rules.Value:
        try:
            return field_rules.of_text(one.type, one.choices, cell)  # type: ignore[arg-type]
        except ValueError as error:
            raise Bad(reason("%(detail)s", detail=str(error))) from None

    return read
