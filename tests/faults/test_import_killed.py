"""kill -9 in an import, of command and of worker, and in a bulk run: it ends as if nothing had been (G5)."""

import csv
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from deeds.driver import until
from running import FUGOU, PATIENCE_SECONDS, Up, initialised, inside, up
from sqlalchemy import text

from bot.core import clock
from bot.core.checks import checks
from bot.core.installation import Installation
from bot.core.jobs import enqueue
from tags.imports import jobs, keeping, kinds, service
from tags.people import bulk, many
from tags.people import jobs as people_jobs
from tags.people.many import Person
from tags.tagging import groups

ROWS, PEOPLE = 12_000, 3_000
SUMS = """
SELECT (SELECT (count(*), sum(total_fen)) FROM orders)::text, (SELECT count(*) FROM order_items),
    (SELECT (sum(balance), count(*))::text FROM points_accounts), (SELECT count(*) FROM customers),
    (SELECT count(*) FROM events WHERE name = 'order.paid'), (SELECT sum(net_fen) FROM order_months),
    (SELECT count(*) FROM touches), (SELECT count(*) FROM points_transactions)
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Orders of 500 customers, one in a hundred of them bad."""
    draw, now = random.Random(3), clock.now()
    path = tmp_path_factory.mktemp("import") / "orders.csv"
    with path.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["order_id", "shop_customer_id", "paid_at", "total", "sku"])
        for n in range(ROWS):
            at = now - timedelta(days=draw.randrange(300))
            total = "x" if n % 100 == 0 else f"{draw.randrange(100, 90_000) / 100:.2f}"
            writer.writerow([f"K{n}", f"U{draw.randrange(500)}", at.isoformat(), total, "bean"])
    return path


@pytest.fixture(scope="module")
def whole(file: Path) -> tuple[Any, str]:
    """What a command leaves behind that nobody kills: the sums, and the rejected rows."""
    with initialised() as environment:
        assert imported(environment, file, None)
        with inside(environment) as installation:
            return sums(installation), rejected(file).read_text()


def sums(installation: Installation) -> Any:
    with installation.transaction("test") as session:
        assert [f"{one.name}: {said}" for one in checks for said in one.run(session) if "rfm" not in one.name] == []
        return tuple(session.execute(text(SUMS)).one())


def imported(environment: dict[str, str], file: Path, kill_after: float | None) -> bool:
    """Run the command; whether it came to its end, or was killed before."""
    folder = Path(environment["FUGOU_DATA_DIR"]).parent
    command = subprocess.Popen(
        [*FUGOU, "import", "orders", str(file)], env=environment, cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if kill_after is not None:
        time.sleep(kill_after)
        command.kill()
    return command.wait(PATIENCE_SECONDS * 2) == 0


def rejected(file: Path) -> Path:
    return file.with_name("orders.csv.rejected.csv")


def test_a_command_that_was_killed_again_and_again_ends_as_one_that_was_not(
    whole: tuple[Any, str], file: Path
) -> None:  # G5 G6
    with initialised() as environment:
        ends = [imported(environment, file, seconds) for seconds in (3.0, 4.0, 5.0)]
        assert imported(environment, file, None)
        with inside(environment) as installation:
            assert (sums(installation), rejected(file).read_text()) == whole
            with installation.transaction("test") as session:
                states = session.execute(text("SELECT state, read FROM imports ORDER BY id")).all()
        assert all(row == ("done", ROWS) for row in map(tuple, states))
        assert not all(ends), "nothing was killed"


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Installation, Up]]:
    """An installation under `fugou up` in which nothing has happened."""
    with initialised() as environment, inside(environment) as installation, up(environment) as running:
        yield installation, running


def kill_worker(running: Up) -> None:
    worker = running.part("parts lanes")
    assert worker is not None
    os.kill(worker, signal.SIGKILL)


@pytest.mark.long
def test_the_consoles_import_whose_worker_was_killed_ends_as_the_command_that_was_not(
    house: tuple[Installation, Up], whole: tuple[Any, str], file: Path
) -> None:  # G5 G6
    installation, running = house
    with file.open("rb") as upload:
        sheet = keeping.keep(installation, upload)
    with installation.transaction("test") as session:
        row = service.add(session, kinds.of_name("orders"), file.name, sheet)
        service.begin(session, row, dry=False)
        row.job_id = enqueue(session, jobs.go_through, import_id=row.id, dry=False)

    def stands(state: str, read: int) -> bool:
        with installation.transaction("test") as session:
            now = session.execute(text("SELECT state, read FROM imports")).one()
        return bool(now.state == state and now.read >= read)

    until(lambda: stands("running", 1))
    kill_worker(running)
    assert stands("running", 1), "it was done before the worker was killed"
    until(lambda: stands("done", ROWS))
    assert sums(installation) == whole[0]


@pytest.mark.long
def test_a_bulk_run_whose_worker_was_killed_does_it_to_everybody_once(house: tuple[Installation, Up]) -> None:  # T2 G5
    installation, running = house
    with installation.transaction("operator:1") as session:
        many.known(session, [Person((("shop_customer_id", f"B{n}"),)) for n in range(PEOPLE)], "import")
        tags = groups.create_group(session, "口味", "profile", False, ["浅烘"])
        session.flush()
        [tag_id] = session.execute(text("SELECT id FROM tags WHERE group_id = :its"), {"its": tags.id}).scalars()
        run_id = bulk.begin(session, "tag_on", bulk.Whom(), {"tags": [tag_id]}, people_jobs.go_through).id

    def changed() -> int:
        with installation.transaction("test") as session:
            return bulk.get(session, run_id).changed

    with installation.transaction("test") as session:
        everybody = session.execute(text("SELECT count(*) FROM customers")).scalar_one()
    until(changed)
    kill_worker(running)
    assert changed() < everybody, "it was done before the worker was killed"
    until(lambda: changed() == everybody)
    with installation.transaction("test") as session:
        once = "SELECT count(*), count(DISTINCT customer_id) FROM events WHERE name = 'tag.added' AND data @> :its"
        told = session.execute(text(once), {"its": f'{{"tag_id": {tag_id}}}'}).one()
        held = session.execute(text("SELECT count(*) FROM tag_assignments WHERE tag_id = :its"), {"its": tag_id})
        assert (*told, held.scalar_one()) == (everybody,) * 3
