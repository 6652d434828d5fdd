"""Invariants of points: every kept sum is recomputed from the append-only records (P1, P2)."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from bot.core.checks import check
from bot.core.sets import run
from handlers.points import rules

UNBALANCED = """
SELECT t.id, coalesce(sum(e.points), 0) FROM points_transactions t
LEFT JOIN points_entries e ON e.transaction_id = t.id
GROUP BY t.id HAVING count(e.line) < 2 OR sum(e.points) <> 0
UNION ALL SELECT DISTINCT e.transaction_id, 0 FROM points_entries e
WHERE NOT EXISTS (SELECT 1 FROM points_transactions t WHERE t.id = e.transaction_id)
"""
ACCOUNTS = """
SELECT a.customer_id, ARRAY[a.balance, a.balance, a.held, a.debt, a.pending, a.pending],
    ARRAY[coalesce(e.lots, 0), coalesce(l.remaining, 0), coalesce(l.held, 0), coalesce(-e.debt, 0),
        coalesce(e.pending, 0), coalesce(o.pending, 0)]
FROM points_accounts a
LEFT JOIN (SELECT customer_id, sum(points) FILTER (WHERE account = 'lot') AS lots,
    sum(points) FILTER (WHERE account = 'debt') AS debt, sum(points) FILTER (WHERE account = 'pending') AS pending
    FROM points_entries GROUP BY 1) AS e USING (customer_id)
LEFT JOIN (SELECT customer_id, sum(remaining) AS remaining, sum(held) AS held FROM points_lots GROUP BY 1) AS l
    USING (customer_id)
LEFT JOIN (SELECT customer_id, sum(pending) AS pending FROM points_orders GROUP BY 1) AS o USING (customer_id)
"""
LOTS = """
SELECT l.id, l.remaining, coalesce(e.points, 0), l.held, coalesce(h.points, 0) FROM points_lots l
LEFT JOIN (SELECT lot_id, sum(points) AS points FROM points_entries WHERE account = 'lot' GROUP BY 1) AS e
    ON e.lot_id = l.id
LEFT JOIN (SELECT p.lot_id, sum(p.points) AS points FROM points_hold_lots p
    JOIN points_holds d ON d.id = p.hold_id AND d.state = 'held' GROUP BY 1) AS h ON h.lot_id = l.id
WHERE l.remaining <> coalesce(e.points, 0) OR l.held <> coalesce(h.points, 0)
UNION ALL SELECT e.lot_id, 0, sum(e.points), 0, 0 FROM points_entries e
WHERE e.account = 'lot' AND NOT EXISTS (SELECT 1 FROM points_lots l WHERE l.id = e.lot_id) GROUP BY 1
"""
DEBTS = """
SELECT owner_id, sum(debt), sum(balance - held) FROM points_accounts GROUP BY 1
HAVING sum(debt) > 0 AND sum(balance - held) > 0
"""
OWNERS = """
SELECT a.customer_id, a.owner_id, coalesce(c.survivor_id, c.id) FROM points_accounts a
JOIN customers c ON c.id = a.customer_id WHERE a.owner_id <> coalesce(c.survivor_id, c.id)
"""
MONTHS = """
SELECT m.customer_id, m.month, s.steps, m.net_fen, m.base, coalesce(o.net, 0), coalesce(g.granted, 0)
FROM points_months m
LEFT JOIN points_steps s ON s.id = m.steps_id
LEFT JOIN (SELECT customer_id, month, sum(net_fen) AS net FROM points_orders GROUP BY 1, 2) AS o
    USING (customer_id, month)
LEFT JOIN (SELECT t.customer_id, t.facts->>'month' AS month, -sum(e.points) AS granted FROM points_transactions t
    JOIN points_entries e ON e.transaction_id = t.id AND e.customer_id = t.customer_id AND e.account = 'issued'
    WHERE NOT t.facts ? 'multiplier_bp' GROUP BY 1, 2) AS g USING (customer_id, month)
"""
ORDERS = """
SELECT o.order_id, o.total_fen - o.refunded_fen, p.net_fen FROM orders o
LEFT JOIN points_orders p ON p.order_id = o.order_id AND p.customer_id = o.customer_id AND p.month = o.month
WHERE p.net_fen IS DISTINCT FROM o.total_fen - o.refunded_fen
"""
BONUSES = """
SELECT b.order_id, b.source, b.granted, coalesce(-sum(e.points), 0) FROM points_bonuses b
LEFT JOIN points_transactions t ON t.order_id = b.order_id AND t.facts->>'source' = b.source
LEFT JOIN points_entries e ON e.transaction_id = t.id AND e.customer_id = t.customer_id AND e.account = 'issued'
GROUP BY b.order_id, b.source HAVING b.granted <> coalesce(-sum(e.points), 0)
"""
DUE = """
SELECT a.customer_id FROM points_accounts a WHERE coalesce(a.due_at, 'infinity') > least(
    (SELECT min(expires_at) FROM points_lots WHERE customer_id = a.customer_id AND remaining > 0),
    (SELECT min(available_at) FROM points_orders WHERE customer_id = a.customer_id AND pending > 0),
    (SELECT min(expires_at) FROM points_holds WHERE customer_id = a.customer_id AND state = 'held'), 'infinity')
"""


@check("points: every transaction has two entries or more, which sum to 0")
def balanced(session: Session) -> Iterator[str]:
    for transaction_id, points in run(session, UNBALANCED):
        yield f"points transaction {transaction_id} is off by {points}"


@check("points: balance, held, debt and pending are the sums of entries, lots, holds and orders")
def accounts(session: Session) -> Iterator[str]:
    for customer_id, kept, summed in run(session, ACCOUNTS):
        if list(kept) != [int(each) for each in summed]:
            yield f"points account {customer_id} keeps {kept}, its records say {[int(each) for each in summed]}"


@check("points: what is left of a lot, and held of it, is what the entries and holds say")
def lots(session: Session) -> Iterator[str]:
    for lot_id, remaining, points, held, by_holds in run(session, LOTS):
        yield f"points lot {lot_id} keeps {remaining} ({held} held), its records say {points} ({by_holds})"


@check("points: nobody owes points while she has some to spend")
def debts(session: Session) -> Iterator[str]:
    for owner_id, debt, spendable in run(session, DEBTS):
        yield f"customer {owner_id} owes {debt} points and has {spendable} to spend"


@check("points: accounts belong to the survivor")
def owners(session: Session) -> Iterator[str]:
    for customer_id, owner_id, survivor in run(session, OWNERS):
        yield f"points account {customer_id} belongs to customer {owner_id}, expected {survivor}"


@check("points: a month's base is floor(net spend x rate), its net that of its orders, granted by its lines")
def months(session: Session) -> Iterator[str]:
    for customer_id, month, steps, net_fen, base, of_orders, granted in run(session, MONTHS):
        if steps is None:
            yield f"month {month} of points account {customer_id} names rates that are not there"
            continue
        expected = rules.base_points(net_fen, [rules.Step(*step) for step in steps])
        if net_fen != of_orders or not base == granted == expected:
            yield (
                f"month {month} of points account {customer_id} has net {net_fen} (orders: {of_orders}) and base {base}"
                f" (lines: {granted}, rule: {expected})"
            )


@check("points: every order is in its month account with its net")
def orders(session: Session) -> Iterator[str]:
    for order_id, net_fen, posted in run(session, ORDERS):
        yield f"order {order_id} has net {net_fen}, the points ledger knows {posted}"


@check("points: bonuses are what their lines granted")
def bonuses(session: Session) -> Iterator[str]:
    for order_id, source, granted, by_lines in run(session, BONUSES):
        yield f"the bonus {source} of order {order_id} keeps {granted}, its lines granted {by_lines}"


@check("points: nothing becomes due unnoticed")
def due(session: Session) -> Iterator[str]:
    for (customer_id,) in run(session, DUE):
        yield f"points account {customer_id} sleeps past a moment at which something is due"
