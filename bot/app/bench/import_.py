"""Orders from a CSV, 1 % of them bad: landed, and with all that follows from an order (quality.md, `import`).

`product` lands them: the file read, checked, customers found, orders and lines kept with the sums of months and buyers,
what is bad kept with its reason, the place moved. `product_whole` also books points, stages, scores and timeline in the
same transactions, as the program does. The limit is COPY of ready rows into tables with the same keys and indexes.
"""

import csv
import io
import random
import resource
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text

from bot.app.bench import naive_import, naive_ledger
from bot.app.bench.harness import ROUNDS, Goal, Report, interleave, machine, per_second, private_installation
from bot.core import clock
from bot.core.checks import checks
from bot.core.installation import Installation
from tags.imports import files, kinds, orders, service
from tags.imports.kinds import Take
from tags.imports.models import Import

SEED = 2
CUSTOMERS = 200_000
ROWS, WHOLE_ROWS, NAIVE_ROWS, NAIVE_WHOLE_ROWS = 100_000, 20_000, 2_000, 400  # of a round
MILLION = 1_000_000  # what the figures stand for
BAD_EVERY = 100
NOW = datetime(2026, 11, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
SPAN_S = 9 * 10**7
MOST_GROWTH_MIB = 64
HEADS = ("order_id", "external_userid", "paid_at", "total", "sku", "category")

GOALS = (
    Goal("landing against naive", "to_naive", at_least=60.0),
    Goal("landing against COPY", "of_limit", at_least=0.30),
)


def bench(rounds: int = ROUNDS, rows: int = ROWS, whole_rows: int = WHOLE_ROWS) -> Report:
    """Run it on private servers, with so many rows a round."""
    with private_installation() as installation, machine(installation) as facts:
        shop = Shop(installation, rows, whole_rows)
        rates = interleave({
            "naive": shop.naive, "product": shop.land, "limit": shop.limit, "naive_whole": shop.naive_whole,
            "product_whole": shop.whole,
        }, rounds)  # fmt: skip
        found = shop.found()
    return Report(
        bench="import", seed=SEED, unit="rows/s", machine=facts, checks=found, goals=GOALS, variants=rates,
        workload={"rows": MILLION, "rows a round": rows, "bad": f"1 in {BAD_EVERY}", "customers": CUSTOMERS,
                  "growth_mib": shop.growth_mib},
        scaled_from={"naive": NAIVE_ROWS, "product": rows, "limit": rows, "naive_whole": NAIVE_WHOLE_ROWS,
                     "product_whole": whole_rows},
        ratios={"to_naive": ("product", "naive"), "of_limit": ("product", "limit"),
                "whole_to_naive": ("product_whole", "naive_whole")},
    )  # fmt: skip


class Shop:
    """Rounds of importing; every round has orders of its own, of the same customers."""

    def __init__(self, installation: Installation, rows: int, whole_rows: int) -> None:
        self._installation, self._rows, self._whole_rows = installation, rows, whole_rows
        self._random, self._serial = random.Random(SEED), 0
        self._naive = naive_import.connect(installation.database_url)
        self._ledger = naive_ledger.connect(installation.database_url, 5)
        self._right = True
        self._peak: list[float] = []
        with installation.transaction("bench") as session:
            for statement in SETUP:
                session.execute(text(statement), {"n": CUSTOMERS, "at": clock.now()})
        with installation.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))

    @property
    def growth_mib(self) -> float:
        """By how much the process's peak grew behind the first import."""
        return round(self._peak[-1] - self._peak[0], 1)

    def naive(self) -> float:
        """The frozen code, of its own tables."""
        file = self._file(NAIVE_ROWS)
        return per_second(NAIVE_ROWS, lambda: naive_import.load(self._naive, file, NAIVE_ROWS, NOW.tzinfo))  # type: ignore[arg-type]

    def naive_whole(self) -> float:
        """The frozen code, and its frozen ledger for each order."""
        file = self._file(NAIVE_WHOLE_ROWS)

        def load() -> None:
            naive_import.load(self._naive, file, NAIVE_WHOLE_ROWS, NOW.tzinfo)  # type: ignore[arg-type]
            ends_at = clock.now() + timedelta(days=365)
            with file.open(newline="") as rows:
                for number, row in enumerate(csv.DictReader(rows)):
                    if number % BAD_EVERY:
                        account, fen = int(row["external_userid"][2:]) + 1, int(row["total"].replace(".", ""))
                        naive_ledger.post(
                            self._ledger, row["order_id"], account, row["paid_at"][:7], fen, clock.now(), ends_at
                        )

        return per_second(NAIVE_WHOLE_ROWS, load)

    def land(self) -> float:
        """Ours, as far as the orders and their sums."""
        return self._ours(self._rows, lambda session, batch: orders.land(session, batch)[1])

    def whole(self) -> float:
        """Ours, with everything that follows."""
        return self._ours(self._whole_rows, orders.take)

    def limit(self) -> float:
        """COPY of ready orders and lines."""
        self._serial += 1
        told, items = io.StringIO(), io.StringIO()
        at = NOW.isoformat()
        for n in range(self._rows):
            number = self._serial * 10 * MILLION + n
            who, fen = self._random.randrange(CUSTOMERS) + 1, self._random.randrange(100, 100_000)
            told.write(f"{number},L{number:012d},{who},{at},2026-11,{fen},0,0,,{at}\n")
            items.write(f"{number},0,SKU{n % 2000:04d},,类目{n % 20},1,{fen},{who},{at}\n")
        with self._installation.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None

            def copy() -> None:
                for name, rows in (("limit_orders", told), ("limit_items", items)):
                    command = f"COPY {name} FROM STDIN (FORMAT csv, FORCE_NOT_NULL ({FORCED[name]}))"
                    with raw.cursor().copy(command) as stream:
                        stream.write(rows.getvalue())
                raw.commit()

            return per_second(self._rows, copy)

    def found(self) -> dict[str, bool]:
        """Whether rows and sums are right, and a second run changes nothing."""
        file, before = self._file(1_000), self._orders()
        first, second = (self._import(file, lambda session, batch: orders.land(session, batch)[1]) for _ in range(2))
        after = self._orders()
        again = (second.new, second.same, second.rejected) == (0, first.new, first.rejected)
        return {
            "every row was taken or rejected as it should be": self._right,
            "a second run changes nothing": again and after == before + first.new,
            f"memory grew by at most {MOST_GROWTH_MIB} MiB": self.growth_mib <= MOST_GROWTH_MIB,
            **self._sums(),
        }

    def _sums(self) -> dict[str, bool]:
        with self._installation.transaction("bench") as session:
            return {one.name: not list(one.run(session)) for one in checks if one.name.startswith("orders")}

    def _orders(self) -> int:
        with self._installation.transaction("bench") as session:
            return int(session.execute(text("SELECT count(*) FROM orders")).scalar_one())

    def _ours(self, rows: int, take: Take) -> float:
        file, made = self._file(rows), []
        rate = per_second(rows, lambda: made.append(self._import(file, take)))
        self._right &= (made[0].new, made[0].rejected) == (rows - rows // BAD_EVERY, rows // BAD_EVERY)
        self._peak.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return rate

    def _import(self, file: Path, take: Take) -> Import:
        """A file imported as a command does, with another end."""
        kind = kinds.of_name("orders")
        sheet = files.opened(file)
        with self._installation.transaction("bench") as session:
            row = service.add(session, kind, file.name, sheet)
            service.begin(session, row, dry=False)
        more = True
        while more:
            with self._installation.transaction("bench") as session:
                more = service.chunk(session, row.id, file, take=take)
        with self._installation.transaction("bench") as session:
            return service.get(session, row.id)

    def _file(self, rows: int) -> Path:
        """A new file of orders: every 100th has an amount, a moment or a customer that is none."""
        self._serial += 1
        path = self._installation.settings.data_dir / f"orders{self._serial}.csv"
        draw = self._random.randrange
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADS)
            for n in range(rows):
                bad = n // BAD_EVERY % 3 if n % BAD_EVERY == 0 else None
                paid_at = (NOW - timedelta(seconds=draw(SPAN_S))).strftime("%Y-%m-%d %H:%M:%S")
                writer.writerow([
                    f"OD{self._serial}{n:012d}", "" if bad == 0 else f"wm{draw(CUSTOMERS):020d}",
                    "2025-13-40 00:00:00" if bad == 1 else paid_at,
                    "12,5x" if bad == 2 else f"{draw(100, 100_000) / 100:.2f}",
                    f"SKU{draw(2000):04d}", f"类目{draw(20)}",
                ])  # fmt: skip
        return path


FORCED = {"limit_orders": "order_id, month", "limit_items": "sku, name, category"}
SETUP = (
    "INSERT INTO customers (name, name_key, avatar, gender, city, language, phone_tail, created_at, seen_at)"
    " SELECT '', '', '', '', '', '', '', :at, :at FROM generate_series(1, :n)",
    "INSERT INTO identities (customer_id, kind, value, source, added_at)"
    " SELECT id, 'external_userid', 'wm' || lpad((id - 1)::text, 20, '0'), 'api', :at FROM customers",
    "INSERT INTO naive_buyers (external_userid, orders, fen)"
    " SELECT 'wm' || lpad((n - 1)::text, 20, '0'), 0, 0 FROM generate_series(1, :n) n",
    "INSERT INTO naive_accounts (balance, debt) SELECT 0, 0 FROM generate_series(1, :n)",
    "CREATE TABLE limit_orders (LIKE orders INCLUDING ALL)",
    "ALTER TABLE limit_orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id)",
    "CREATE TABLE limit_items (LIKE order_items INCLUDING ALL)",
)
