"""RFM as the pandas documentation would have it: read everything, `qcut`, write everything. Frozen; never tuned."""

import bisect
from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Engine, text

ORDERS = "SELECT customer_id, paid_at, total_fen FROM orders WHERE refunded_at IS NULL"
HERS = """
SELECT max(paid_at), count(*), sum(total_fen)::bigint FROM orders WHERE customer_id = :id AND refunded_at IS NULL
"""
WRITE = "UPDATE naive_rfm SET r5 = :r, f5 = :f, m5 = :m WHERE customer_id = :id"


def nightly(engine: Engine) -> int:
    """Score every buyer; how many there are. Ties go by order of appearance, as `rank(method="first")` has it."""
    orders = pd.read_sql(ORDERS, engine)
    sums = orders.groupby("customer_id").agg(r=("paid_at", "max"), f=("total_fen", "size"), m=("total_fen", "sum"))
    for name in ("r", "f", "m"):
        sums[f"{name}5"] = pd.qcut(sums[name].rank(method="first"), 5, labels=False) + 1
    sums.to_sql("naive_rfm", engine, if_exists="replace", chunksize=1000, method="multi")
    return len(sums)


def rescore(engine: Engine, customer_id: int, edges: Sequence[Sequence[int]]) -> None:
    """Aggregate one customer's orders again and put her between the edges. edges: of r (seconds), f, m."""
    with engine.begin() as connection:
        last, orders, fen = connection.execute(text(HERS.replace("::", "\\:\\:")), {"id": customer_id}).one()
        found = (
            bisect.bisect_left(edge, value) + 1
            for edge, value in zip(edges, (last.timestamp(), orders, fen), strict=True)
        )
        connection.execute(text(WRITE), {"id": customer_id, **dict(zip("rfm", found, strict=True))})
