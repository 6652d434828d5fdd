"""A shop with as many customers as a bench asks for, ten tags and ten orders each; written by the database itself.

What it writes is what the program would have written, as far as conditions, RFM and lists read it. Triggers and foreign
keys rest meanwhile, and indexes are made afterwards: a bench is about reading. A million customers take minutes, so the
shop may be kept in a folder and used again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import TextClause, text

from bot.app.bench.harness import private_installation
from bot.core import clock
from bot.core.errors import Refusal
from bot.core.installation import Installation

TAGS, CATEGORIES = 200, 20
TAGS_EACH = ORDERS_EACH = 10
DAYS = 730  # over which orders are spread


class WrongShop(Refusal):
    """The folder has another shop than the one asked for."""


STATEMENTS = """
SELECT setseed(0.5);
INSERT INTO customers (name, name_key, avatar, gender, city, language, phone_tail, birthday, created_at, seen_at)
SELECT '客' || n, 'ke ' || n, '', (ARRAY['', 'female', 'male'])[1 + n % 3], 'city' || n % 300, '', '',
    CASE WHEN n % 4 > 0 THEN date '1970-01-01' + (n % 12000)::int END, :now, :now - n * interval '1 second'
FROM generate_series(1, :customers) n;
INSERT INTO staff (userid, name, supervisor, active)
SELECT 's' || n, '成员' || n, '', true FROM generate_series(0, 199) n;
INSERT INTO contacts (
    customer_id, external_userid, userid, status, half, added_at, facts, state, add_way, remark, description
)
SELECT n, 'wm' || n, 's' || n % 200, 'active', false, :now, '[]', '', 1, '', '' FROM generate_series(1, :customers) n;
INSERT INTO tag_groups (kind, name, single_choice, position, created_at) VALUES ('profile', '标签', false, 0, :now);
INSERT INTO tags (group_id, name, position, created_at)
SELECT (SELECT max(id) FROM tag_groups), '标签' || n, 0, :now FROM generate_series(1, :tags) n;
INSERT INTO tag_assignments (customer_id, tag_id, source, at)
SELECT DISTINCT c, t, 'seed', :now FROM (
    SELECT c, least(:tags, 1 + floor(:tags * power(random(), 3))::bigint) AS t
    FROM generate_series(1, :customers) c, generate_series(1, :tags_each)
) drawn ORDER BY 1, 2;
INSERT INTO orders (order_id, customer_id, paid_at, month, total_fen, points_used, refunded_fen, placed_at)
SELECT 'D' || n, 1 + floor(:customers * power(random(), 1.5))::bigint, at, to_char(at, 'YYYY-MM'),
    1000 + floor(random() * 40000)::bigint, 0, 0, at
FROM (
    SELECT n, :now - make_interval(secs => :days * 86400.0 * (:orders - n) / :orders) AS at
    FROM generate_series(1, :orders) n
) o;
INSERT INTO order_items (
    order_number, line, sku, name, category, quantity, unit_price_fen, customer_id, paid_at
)
SELECT id, 0, 'S' || id % 500, '货', '类' || floor(:categories * power(random(), 2))::int, 1, total_fen, customer_id,
    paid_at FROM orders;
INSERT INTO buyers (customer_id, orders, net_fen, first_at, last_at)
SELECT customer_id, count(*), sum(total_fen), min(paid_at), max(paid_at) FROM orders GROUP BY 1 ORDER BY 1;
INSERT INTO order_months (customer_id, month, orders, net_fen)
SELECT customer_id, month, count(*), sum(total_fen) FROM orders GROUP BY 1, 2 ORDER BY 1, 2;
"""


INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
WHERE i.indrelid = ANY(ARRAY['customers', 'contacts', 'tag_assignments', 'orders', 'order_items', 'buyers']::regclass[])
    AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""


@contextmanager
def shop(customers: int, folder: Path | None = None) -> Iterator[Installation]:
    """An installation with the shop in it. folder: where it is kept, and taken from when it is there already.

    Raises WrongShop where the folder has another number of customers.
    """
    with private_installation(folder=folder) as installation:
        with installation.engine.connect() as connection:
            found = connection.scalar(text("SELECT count(*) FROM customers"))
        if found == 0:
            seed(installation, customers)
        elif found != customers:
            raise WrongShop(f"{folder} has a shop of {found} customers, not {customers}; name another folder")
        with installation.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        yield installation


def seed(installation: Installation, customers: int) -> None:
    """Write the shop into an empty database."""
    values = {
        "now": clock.now(), "customers": customers, "tags": TAGS, "tags_each": TAGS_EACH, "days": DAYS,
        "orders": customers * ORDERS_EACH, "categories": CATEGORIES,
    }  # fmt: skip
    with installation.engine.begin() as connection:
        for setting in ("session_replication_role = replica", "work_mem = '256MB'", "maintenance_work_mem = '512MB'"):
            connection.execute(text(f"SET LOCAL {setting}"))
        resting = connection.execute(_sql(INDEXES)).all()
        for name, _ in resting:
            connection.execute(text(f"DROP INDEX {name}"))
        for statement in filter(str.strip, STATEMENTS.split(";\n")):
            connection.execute(_sql(statement), values)
        for _, made in resting:
            connection.execute(_sql(made))


def _sql(statement: str) -> TextClause:
    """A statement whose `::` is a cast, not a parameter."""
    return text(statement.replace("::", "\\:\\:"))
