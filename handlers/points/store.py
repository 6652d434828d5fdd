"""The statements behind the ledger: locking accounts, reading lots, and storing a whole booking at once.

One order and three hundred are one statement; `sets.given` says how the rows of each table travel.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy.orm import Session

from bot.core import events
from bot.core.db import Query
from bot.core.errors import NotFound
from bot.core.sets import document, given, run, run_all, run_later
from handlers.points import preferences
from handlers.points.multipliers import Posting
from handlers.points.planned import Account, Line, Lot, Month, Order
from tags.people import many

LOCK = """
SELECT customer_id, owner_id, balance, held, debt, pending, due_at FROM points_accounts
WHERE owner_id IN (SELECT a.owner_id FROM {rows} JOIN points_accounts a ON a.customer_id = u.c)
ORDER BY owner_id, customer_id FOR UPDATE
"""


def lock(session: Session, customer_ids: Collection[int], *asked: Query) -> tuple[list[Account], list[list[Any]]]:
    """Lock the accounts of these customers and of their families, made where missing, and read them.

    asked: what is to be read under the lock, in the same round trip; its answers come second. Raises NotFound for an id
    that is nobody's.
    """
    wanted = sorted(set(customer_ids))
    table, values = given("ids", "c bigint", [{"c": one} for one in wanted])
    query = LOCK.format(rows=table), values
    while True:
        locked, *answers = run_all(session, query, *asked)
        missing = set(wanted) - {customer_id for customer_id, *_ in locked}
        if not missing:
            return [Account(*row) for row in locked], answers
        _make(session, sorted(missing))  # or merged into another family while we waited: then only read again


MAKE = """
INSERT INTO points_accounts (customer_id, owner_id, balance, held, debt, pending, version)
SELECT * FROM (SELECT u.c, u.o, 0, 0, 0, 0, 0 FROM unnest(%(ids)s::bigint[], %(owners)s::bigint[]) AS u(c, o)) AS fresh
ORDER BY 1 ON CONFLICT DO NOTHING
"""


def _make(session: Session, ids: list[int]) -> None:
    """Make these accounts and those of their owners, who book for all of theirs."""
    owner = many.survivors(session, ids)
    unknown = set(ids) - owner.keys()
    if unknown:
        raise NotFound(f"there is no customer {min(unknown)}")
    owner |= {one: one for one in owner.values()}
    run(session, MAKE, ids=list(owner), owners=list(owner.values()))


LOTS = """
SELECT id, customer_id, order_id, expires_at, points, remaining, held FROM (
    SELECT l.*, n.p AS need, l.order_id IS NOT NULL AND l.order_id = ANY(%(orders)s) AS own,
        sum(CASE WHEN l.order_id = ANY(%(orders)s) THEN 0 ELSE l.remaining - l.held END) OVER (
            PARTITION BY a.owner_id ORDER BY l.expires_at, l.customer_id <> a.owner_id, l.id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier
    FROM jsonb_to_recordset(%(needs)s::jsonb) AS n(c bigint, p bigint)
    JOIN points_accounts hers ON hers.customer_id = n.c
    JOIN points_accounts a ON a.owner_id = hers.owner_id
    JOIN points_lots l ON l.customer_id = a.customer_id AND l.remaining > 0 AND l.expires_at > %(at)s
) AS open WHERE own OR coalesce(earlier, 0) < need
"""


def lots(at: datetime, needs: Mapping[int, int], orders: Iterable[str] = ()) -> Query:
    """Asks for the lots not ended at `at` that cover each need (customer: points), first-expiring-first, and of orders.

    Hers are those of her whole family. With one end, the survivor's own lots come first (see
    docs/decisions/0005-points-after-a-merge.md).
    """
    wanted = [{"c": customer_id, "p": points} for customer_id, points in needs.items()]
    return LOTS, {"needs": document(wanted), "orders": list(orders), "at": at}


# each `LIMIT 1` keeps PostgreSQL from reading a table that was small when it planned
POSTED = """
SELECT u.o, u.c, u.m, o.*, m.*,
    (SELECT true FROM points_bonuses b WHERE b.customer_id = u.c AND b.month = u.m LIMIT 1)
FROM {rows}
LEFT JOIN LATERAL (
    SELECT net_fen, pending, available_at, ends_at FROM points_orders WHERE order_id = u.o LIMIT 1
) AS o ON true
LEFT JOIN LATERAL (
    SELECT steps_id, net_fen, base FROM points_months WHERE customer_id = u.c AND month = u.m LIMIT 1
) AS m ON true
"""


def posted(postings: Sequence[Posting]) -> Query:
    """Asks for the orders of these postings and their months, for `known`."""
    wanted = [{"o": one.order_id, "c": one.customer_id, "m": one.month} for one in postings]
    table, values = given("postings", "o text, c bigint, m text", wanted)
    return POSTED.format(rows=table), values


def known(session: Session, found: Iterable[Sequence[Any]]) -> tuple[dict[str, Order], dict[tuple[int, str], Month]]:
    """Those of `posted` the ledger knows, by id, and those of their months that have begun, by customer and month."""
    orders, months = {}, {}
    for row in found:
        order_id, customer_id, month, order_net, *order, steps_id, net_fen, base, multiplied = row
        if order_net is not None:
            orders[order_id] = Order(order_id, customer_id, month, order_net, *order)
        if steps_id is not None and (customer_id, month) not in months:
            steps = preferences.steps_of(session, steps_id)
            months[customer_id, month] = Month(customer_id, month, steps_id, steps, net_fen, base, bool(multiplied))
    return orders, months


def month_row(month: Month) -> dict[str, Any]:
    """A month account to be stored, for `months` of `write`'s further rows."""
    return {"c": month.customer_id, "m": month.month, "s": month.steps_id, "n": month.net_fen, "b": month.base}


def order_row(order: Order) -> dict[str, Any]:
    """An order to be stored, for `orders` of `write`'s further rows."""
    return {"o": order.order_id, "c": order.customer_id, "m": order.month, "n": order.net_fen, "p": order.pending,
            "due": order.available_at, "e": order.ends_at}  # fmt: skip


RECOMPUTE_DUE = """
UPDATE points_accounts a SET due_at = least(
    (SELECT min(expires_at) FROM points_lots WHERE customer_id = a.customer_id AND remaining > 0),
    (SELECT min(available_at) FROM points_orders WHERE customer_id = a.customer_id AND pending > 0),
    (SELECT min(expires_at) FROM points_holds WHERE customer_id = a.customer_id AND state = 'held')
) WHERE owner_id = ANY(%(owners)s)
"""


def recompute_due(session: Session, owners: list[int]) -> None:
    """Say anew when something next happens by the clock; the accounts are locked and stored."""
    run(session, RECOMPUTE_DUE, owners=owners)


def write(
    session: Session, *, accounts: Sequence[Account], lots: Sequence[Lot], lines: Sequence[Line],
    facts: Sequence[events.Event], further: Mapping[str, list[dict[str, Any]]],
) -> None:  # fmt: skip
    """Store what was planned and the facts, `further` being rows of other tables of `PARTS`, and announce them.

    Lines get their ids where one is `numbered` or a fact is heard; else all that is left to the commit.
    """
    fresh = [lot for lot in lots if lot.id is None]
    number = {id(lot): at for at, lot in enumerate(fresh)}
    tables: dict[str, list[dict[str, Any]]] = {
        "accounts": [_account(account) for account in accounts],
        "new_lots": [_lot(n, lot) for n, lot in enumerate(fresh)],
        "lots": [
            {"id": lot.id, "r": lot.remaining - lot.before[0], "h": lot.held - lot.before[1]}
            for lot in lots if lot.id is not None
        ],
        "lines": [
            {"n": n, "at": line.at, "c": line.customer_id, "k": line.kind, "o": line.order_id,
             "q": line.cause, "f": line.facts}
            for n, line in enumerate(lines)
        ],
        "entries": [
            {"t": n, "i": i, "c": customer_id, "a": account, "l": lot and lot.id, "x": number.get(id(lot)), "p": points}
            for n, line in enumerate(lines)
            for i, (account, customer_id, lot, points) in enumerate(line.entries)
        ],
        "events": events.records(facts),
        **further,
    }  # fmt: skip
    tables = {name: each for name, each in tables.items() if each}
    if not tables:
        return
    session.flush()  # listeners find what the announcer changed
    told = {name: given(name, PARTS[name][0], each) for name, each in tables.items()}
    asked = events.heard(session, facts) or any(line.numbered for line in lines)
    statement = _statement(tuple((name, table) for name, (table, _) in told.items()), asked)
    values = events.context(session)
    for _, more in told.values():
        values |= more
    if not asked:
        run_later(session, statement, **values)
        return
    written: defaultdict[str, list[int]] = defaultdict(list)
    for name, row_id in run(session, statement, **values):
        written[name].append(row_id)
    for line, line_id in zip(lines, written["lines"], strict=True):
        line.id = line_id
    events.tell(session, facts, written["events"])


def _account(account: Account) -> dict[str, Any]:
    balance, held, debt, pending = (now - then for now, then in zip(account.sums, account.before, strict=True))
    return {"c": account.customer_id, "b": balance, "h": held, "d": debt, "p": pending, "due": account.due_at}


def _lot(number: int, lot: Lot) -> dict[str, Any]:
    return {"n": number, "c": lot.customer_id, "o": lot.order_id, "e": lot.expires_at, "p": lot.points,
            "r": lot.remaining, "h": lot.held}  # fmt: skip


# name -> (record, CTE); `{rows}` becomes the rows of that name
PARTS = {
    "accounts": (
        "c bigint, b bigint, h bigint, d bigint, p bigint, due timestamptz",
        """UPDATE points_accounts t SET balance = t.balance + u.b, held = t.held + u.h, debt = t.debt + u.d,
        pending = t.pending + u.p, version = t.version + 1, due_at = u.due FROM {rows} WHERE t.customer_id = u.c""",
    ),
    "new_lots": (
        "n int, c bigint, o text, e timestamptz, p bigint, r bigint, h bigint",
        """INSERT INTO points_lots (id, customer_id, order_id, expires_at, points, remaining, held)
        SELECT id, c, o, e, p, r, h FROM numbered_new_lots""",
    ),
    "lots": (
        "id bigint, r bigint, h bigint",
        "UPDATE points_lots t SET remaining = t.remaining + u.r, held = t.held + u.h FROM {rows} WHERE t.id = u.id",
    ),
    "lines": (
        "n int, at timestamptz, c bigint, k text, o text, q text, f jsonb",
        """INSERT INTO points_transactions (id, at, customer_id, kind, order_id, cause, actor, facts)
        SELECT id, at, c, k, o, q, %(actor)s, f FROM numbered_lines""",
    ),
    "entries": (
        "t int, i int, c bigint, a text, l bigint, x int, p bigint",
        """INSERT INTO points_entries (customer_id, transaction_id, line, account, lot_id, points)
        SELECT u.c, t.id, u.i, u.a, {lot}, u.p FROM {rows} JOIN numbered_lines t ON t.n = u.t {lots}""",
    ),
    "months": (
        "c bigint, m text, s bigint, n bigint, b bigint",
        """INSERT INTO points_months AS t (customer_id, month, steps_id, net_fen, base) SELECT c, m, s, n, b FROM {rows}
        ON CONFLICT (customer_id, month) DO UPDATE SET net_fen = excluded.net_fen, base = excluded.base""",
    ),
    "orders": (
        "o text, c bigint, m text, n bigint, p bigint, due timestamptz, e timestamptz",
        """INSERT INTO points_orders (order_id, customer_id, month, net_fen, pending, available_at, ends_at)
        SELECT o, c, m, n, p, due, e FROM {rows}
        ON CONFLICT (order_id) DO UPDATE SET net_fen = excluded.net_fen, pending = excluded.pending""",
    ),
    "activated": ("o text", "UPDATE points_orders t SET pending = 0 FROM {rows} WHERE t.order_id = u.o"),
    "bonuses": (
        "o text, s text, c bigint, m text, d date, x int, w text, g bigint",
        """INSERT INTO points_bonuses (order_id, source, customer_id, month, day, multiplier_bp, why, granted)
        SELECT o, s, c, m, d, x, w, g FROM {rows}
        ON CONFLICT (order_id, source) DO UPDATE SET granted = excluded.granted""",
    ),
    "holds": (
        "id bigint, s text, p bigint",
        """UPDATE points_holds t SET state = u.s, committed = u.p, settled_at = %(at)s FROM {rows} WHERE t.id = u.id""",
    ),
    "events": (events.RECORD, events.WRITE),
}  # fmt: skip
LOTS_OF_ENTRIES = {  # are there new lots in the statement?
    False: {"lot": "u.l", "lots": ""},
    True: {"lot": "coalesce(u.l, x.id)", "lots": "LEFT JOIN numbered_new_lots x ON x.n = u.x"},
}
NUMBERED = {"new_lots": "points_lots_id_seq", "lines": "points_transactions_id_seq", "events": events.NUMBERS}


@cache
def _statement(tables: tuple[tuple[str, str], ...], asked: bool) -> str:
    """The statement that stores these rows (`sets.given`), by the names of their tables.

    New lots and lines get ids before their entries name them. asked: whether ids of lines and events are to be told.
    """
    names = [name for name, _ in tables]
    ctes = []
    for name, table in tables:
        _, action = PARTS[name]
        if name in NUMBERED:
            number = f"nextval('{NUMBERED[name]}') AS id"
            ctes.append(f"numbered_{name} AS MATERIALIZED (SELECT {number}, u.* FROM {table})")  # noqa: S608  # ours
        ctes.append(f"{name} AS ({action.format(rows=table, **LOTS_OF_ENTRIES['new_lots' in names])})")
    if not asked:
        return f"WITH {', '.join(ctes)} SELECT"
    written = [f"SELECT '{name}', n, id FROM numbered_{name}" for name in ("lines", "events") if name in names]  # noqa: S608
    told = " UNION ALL ".join(written)
    return f"WITH {', '.join(ctes)} SELECT name, id FROM ({told}) AS told(name, n, id) ORDER BY n"  # noqa: S608
