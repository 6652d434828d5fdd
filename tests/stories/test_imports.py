"""Files a shop has, imported: what they bring, what they change a second time, what is refused and why."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from racing import waited_for
from shop import Shop
from sqlalchemy import text

from bot.app.commands import imports
from bot.core import clock
from bot.core.checks import checks
from bot.core.installation import Installation
from bot.core.sets import MANY, run
from handlers.tiers import service as tiers
from tags.orders import place
from tags.people import many
from tags.people.selector import Selector

ORDERS = """订单号,手机号,付款时间,实付金额,商品名称,类目,数量
A1,13800138000,2026/10/03 10:00,"¥1,268.00",耶加雪菲,咖啡,2
A2,13800138000,2026年10月5日,３００,挂耳,咖啡,1
A3,13900139000,20261101,99.9元,滤纸,器具,1
A4,13900139000,2026-13-40,100,滤纸,器具,1
A5,13900139000,2026-11-02,"12,5x",滤纸,器具,1
A6,12,2026-11-02,12,滤纸,器具,1
"""


@pytest.fixture
def clean(shop: Shop) -> Iterator[None]:
    """Whatever was imported, the books are right afterwards."""
    yield
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        assert [f"{one.name}: {said}" for one in checks for said in one.run(session)] == []


@pytest.fixture
def give(shop: Shop, clean: None, tmp_path: Path) -> Any:
    """Import a file with this content: what became of its rows."""

    def give(
        kind: str, content: str | bytes, *maps: str, name: str = "file.csv", dry_run: bool = False
    ) -> dict[str, int]:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        row = imports.run(shop.installation, kind, tmp_path / name, maps, dry_run=dry_run)
        assert row.read == row.new + row.same + row.changed + row.rejected
        return {what: getattr(row, what) for what in ("new", "changed", "same", "rejected") if getattr(row, what)}

    return give


def rejected(tmp_path: Path, name: str = "file.csv") -> dict[str, str]:
    """First cell and reason of each row of FILE.rejected.csv."""
    with (tmp_path / f"{name}.rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row[0]: row[-1] for row in list(csv.reader(file))[1:]}


def test_orders_come_in_with_all_that_follows_from_one(shop: Shop, give: Any, tmp_path: Path) -> None:  # P2 T5 T6 C2 G6
    assert give("orders", ORDERS) == {"new": 3, "rejected": 3}
    anna = shop.api.get("/customers", phone="13800138000")
    assert anna["points"]["balance"] == 126_800 * 2 // 100 + 30_000 * 2 // 100
    assert (anna["lifecycle"], anna["source"]["first"]["channel"]) == ("stranger", "import")
    assert anna["source"]["first"]["at"] == "2026-10-03T02:00:00Z"
    shop.run_jobs()
    rfm = shop.api.get("/customers", phone="13800138000")["rfm"]
    assert [rfm[score] for score in "rfm"] == [3, 5, 5]
    said = rejected(tmp_path)
    assert said.keys() == {"A4", "A5", "A6"}
    assert "付款时间" in said["A4"]
    assert "2026-13-40" in said["A4"]


def test_the_same_file_again_changes_nothing(shop: Shop, give: Any) -> None:  # G5
    give("orders", ORDERS)
    before = everything(shop)
    assert give("orders", ORDERS) == {"same": 3, "rejected": 3}
    assert everything(shop) == before


def test_a_dry_run_says_what_a_run_does_and_does_nothing(shop: Shop, give: Any) -> None:
    before = everything(shop)
    assert give("orders", ORDERS, dry_run=True) == {"new": 3, "rejected": 3}
    assert everything(shop) == before
    assert give("orders", ORDERS) == {"new": 3, "rejected": 3}


def test_what_a_dry_run_took_back_nobody_goes_by(shop: Shop, give: Any) -> None:  # P2 G5
    shop.api.patch("/settings", {"earning_steps": [{"from_fen": 1, "rate": "0.03"}]})
    assert give("orders", ORDERS, dry_run=True) == {"new": 3, "rejected": 3}
    assert give("orders", ORDERS) == {"new": 3, "rejected": 3}  # `clean` looks whether its months have their rates


def test_points_of_an_old_system_are_given_once_with_their_own_end(
    shop: Shop, give: Any, tmp_path: Path
) -> None:  # P1 G5
    give("customers", "手机,姓名,城市\n13800138000,陈静怡,上海\n13900139000,周子墨,\n")
    rows = '手机,积分,有效期至\n13800138000,"1,200",2027-06-30\n13800138000,300,\n13900139000,-5,\n13700137000,5,\n'
    assert give("points", rows, name="points.csv") == {"new": 2, "rejected": 2}
    assert give("points", rows, name="points.csv") == {"same": 2, "rejected": 2}
    anna = shop.api.get("/customers", phone="13800138000")
    points = shop.api.get(f"/customers/{anna['id']}/points")
    assert (points["balance"], points["lots"][0]) == (1500, {"points": 1200, "expires_at": "2027-06-30T16:00:00Z"})
    assert rejected(tmp_path, "points.csv").keys() == {"13900139000", "13700137000"}


def test_customers_are_found_made_and_filled_in(shop: Shop, give: Any, tmp_path: Path) -> None:  # C1 C2 C3 C6 G5
    shop.api.post("/custom-fields", {"key": "milk", "name": "喝奶", "type": "choice", "choices": ["全脂", "燕麦"]})
    anna = shop.wecom.add_contact("Anna", unionid="UN1")
    shop.run_jobs()
    rows = (
        "unionid;手机号码;姓名;性别;生日;喝奶\n"
        "UN1;138 0013 8000;陈静怡;女;1992/5/4;燕麦\n"
        "UN2;;周子墨;男;;\n"
        "UN2;;周子墨;女;;\n"
        "UN3;13800138000;别人;;;\n"
        "UN4;;;x;;豆奶\n"
    )
    assert give("customers", rows) == {"new": 1, "changed": 1, "rejected": 3}
    hers = shop.api.customer(anna)
    assert (hers["name"], hers["gender"], hers["birthday"], hers["phone"]) == (
        "陈静怡",
        "female",
        "1992-05-04",
        "138****8000",
    )
    assert hers["fields"] == {"milk": "燕麦"}
    assert give("customers", rows) == {"same": 2, "rejected": 3}
    assert rejected(tmp_path).keys() == {"UN2", "UN3", "UN4"}


def test_a_phone_makes_nobody_of_two_wechat_accounts(shop: Shop, give: Any, tmp_path: Path) -> None:  # C2
    anna = shop.wecom.add_contact("Anna", unionid="UN1")
    shop.run_jobs()
    rows = "unionid,手机号\nUN1,13800138000\nUN2,13800138000\nUN3,13900139000\nUN4,13900139000\n,13900139000\n"
    assert give("customers", rows) == {"new": 2, "changed": 1, "rejected": 2}
    assert rejected(tmp_path).keys() == {"UN2", "UN4"}
    assert give("customers", "unionid,手机号\nUN2,13800138000\n") == {"rejected": 1}
    bella = shop.wecom.add_contact("Bella", unionid="UN2")
    shop.run_jobs()
    assert shop.api.customer(bella)["id"] != shop.api.customer(anna)["id"]
    assert shop.api.customer(anna)["unionid"] == "UN1"


def test_an_imported_list_can_be_asked_for_in_conditions(shop: Shop, give: Any) -> None:  # T4
    give("customers", "shop_customer_id,name\nU1,Anna\nU2,Bella\n")
    with shop.installation.transaction("test") as session:
        number = session.execute(text("SELECT max(id) FROM imports")).scalar_one()
    meant = shop.api.post("/segments/preview", {"where": {"imported": str(number)}})
    assert (meant["count"], sorted(one["name"] for one in meant["sample"])) == (2, ["Anna", "Bella"])
    assert shop.api.call("POST", "/segments/preview", {"where": {"imported": "999"}}).status_code == 422


def test_an_import_of_history_sends_nothing(shop: Shop, give: Any) -> None:  # T7 G4
    """A computed tag leads to a segment group whose invitation would be sent; what is imported moves the tag only."""
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    arrived = len(shop.wecom.inbox(anna))
    with shop.installation.transaction("test") as session:
        waiting = session.execute(text("SELECT count(*) FROM outbox")).scalar_one()
    rows = f"order_id,external_userid,paid_at,total\nA1,{anna},2026-11-01,500\n"
    assert give("orders", rows) == {"new": 1}
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        assert session.execute(text("SELECT count(*) FROM outbox")).scalar_one() == waiting
        told = session.execute(text("SELECT actor FROM events WHERE name = 'order.paid'")).scalar_one()
    assert len(shop.wecom.inbox(anna)) == arrived
    assert told.startswith("import:")
    assert shop.api.customer(anna)["lifecycle"] == "first_buyer"


def everything(shop: Shop) -> dict[str, int]:
    """How many rows each table has that an import of orders or customers writes."""
    tables = ("customers", "identities", "touches", "orders", "order_items", "buyers", "events", "points_transactions",
              "points_entries", "points_lots", "tag_assignments", "lifecycles", "field_values")  # fmt: skip
    with shop.installation.transaction("test") as session:
        return {one: session.execute(text(f"SELECT count(*) FROM {one}")).scalar_one() for one in tables}


def test_lines_of_an_order_stand_together_and_one_bad_line_holds_all_of_them_back(
    shop: Shop, give: Any, tmp_path: Path
) -> None:  # G6
    rows = (
        "order_id,shop_customer_id,paid_at,sku,quantity,unit_price\n"
        "B1,U1,2026-11-01,bean,2,50\nB1,,,filter,1,9.90\n"
        "B2,U1,2026-11-02,bean,1,50\nB2,U1,2026-11-02,filter,x,9.90\n"
        "B3,U1,2026-11-03,bean,1,50\nB3,U2,2026-11-03,bean,1,50\n"
    )
    assert give("orders", rows) == {"new": 2, "rejected": 4}
    with shop.installation.transaction("test") as session:
        found = session.execute(text("SELECT order_id, total_fen FROM orders")).all()
        assert [tuple(row) for row in found] == [("B1", 10_990)]
        assert session.execute(text("SELECT count(*) FROM order_items")).scalar_one() == 2
    shop.api.call("POST", "/orders", {
        "order_id": "B9", "customer": {"shop_customer_id": "U1"}, "paid_at": "2026-11-05T00:00:00Z", "total_fen": 500,
        "items": [],
    })  # fmt: skip
    assert give("orders", "order_id,shop_customer_id,paid_at,total\nB9,U1,2026-11-05 08:00,5.00\n") == {"same": 1}
    assert give("orders", "order_id,shop_customer_id,paid_at,total\nB9,U1,2026-11-05 08:00,6.00\n") == {"rejected": 1}
    assert "total_fen" in rejected(tmp_path)["B9"]


def test_nobody_is_made_for_an_order_that_is_refused(shop: Shop, give: Any, tmp_path: Path) -> None:  # C2 G5
    give("customers", "shop_customer_id\nU1\n")
    anna = shop.api.get("/customers", shop_customer_id="U1")["id"]
    day = "2026-11-01"
    rows = f"N1,{anna},,{day},5\nN2,999999,,{day},5\nN1,,13700137000,{day},5\nN2,,13700137000,{day},5\n"
    assert give("orders", f"order_id,customer_id,phone,paid_at,total\n{rows}") == {"new": 1, "rejected": 3}
    assert "999999" in (said := (tmp_path / "file.csv.rejected.csv").read_text("utf-8-sig"))
    assert "row 3" in said.splitlines()[-1]
    assert everything(shop)["customers"] == 1


ROWS = st.lists(
    st.tuples(
        st.integers(1, 9), st.integers(1, 4), st.integers(0, 700),
        st.sampled_from(["100", "300.00", "¥480.5", "520", "0", "x", "-1", ""]),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


@example([(1, 1, 0, "100"), (2, 2, 0, "0"), (1, 3, 0, "100")])  # the third is refused: nobody is made for it
@given(ROWS)
@settings(max_examples=8 if os.environ.get("FUGOU_TESTS") != "all" else 60)
def test_an_import_books_what_posting_its_rows_one_by_one_does(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int, str]]
) -> None:  # P1 P2 P3 T5 G5 G6
    """Two sets of customers, one imported, one posted: the same ledgers, lots, months, sums and tiers."""
    serial = uuid4().hex
    told = [(f"{serial}-{number}", who, clock.now() - timedelta(days=days), total) for number, who, days, total in rows]
    lines = [[order, f"i{serial}{who}", at.isoformat(), total] for order, who, at, total in told]
    path = tmp_path_factory.mktemp("import") / "f.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["order_id", "shop_customer_id", "paid_at", "total"], *lines])
    row = imports.run(installation, "orders", path)
    assert row.read == len(rows) == row.new + row.same + row.rejected
    with path.with_name("f.csv.rejected.csv").open() if row.rejected else io.StringIO() as file:
        refused = [tuple(cell.removeprefix("'") for cell in cells[:4]) for cells in list(csv.reader(file))[1:]]
    taken = Counter(map(tuple, lines)) - Counter(refused)
    with installation.transaction("test") as session:
        for order, who, at, total in told:
            if taken[order, f"i{serial}{who}", at.isoformat(), total]:
                fen = round(float(total.strip("¥")) * 100)
                selector = Selector(shop_customer_id=f"p{serial}{who}")
                customer = many.resolve_or_make(session, selector, at=at)
                place.place(session, [place.NewOrder(f"p{order}", customer, at, fen, ())])
    for who in {who for _, who, _, _ in told}:
        assert books(installation, f"i{serial}{who}") == books(installation, f"p{serial}{who}")
    assert imports.run(installation, "orders", path).new == 0


BOOKS = """
SELECT (SELECT (balance, held, debt, pending)::text FROM points_accounts a WHERE a.customer_id = c.id),
    (SELECT string_agg((l.expires_at, l.points, l.remaining)::text, ';' ORDER BY ltrim(order_id, 'p'))
        FROM points_lots l WHERE l.customer_id = c.id),
    (SELECT string_agg((month, net_fen, base)::text, ';' ORDER BY month)
        FROM points_months m WHERE m.customer_id = c.id),
    (SELECT string_agg((ltrim(order_id, 'p'), n)::text, ';' ORDER BY ltrim(order_id, 'p')) FROM (
        SELECT t.order_id, sum(e.points) AS n FROM points_transactions t
        JOIN points_entries e ON e.transaction_id = t.id AND e.customer_id = t.customer_id AND e.account = 'issued'
        WHERE t.customer_id = c.id GROUP BY 1) AS earned),
    (SELECT (orders, net_fen, first_at, last_at)::text FROM buyers b WHERE b.customer_id = c.id),
    (SELECT stage FROM lifecycles k WHERE k.customer_id = c.id),
    (SELECT array_agg(name ORDER BY name)::text FROM events e WHERE e.customer_id = c.id AND name LIKE 'order%%')
FROM identities i JOIN customers c ON c.id = i.customer_id WHERE i.value = %(who)s
"""


def books(installation: Installation, who: str) -> Any:
    """What is kept of a customer, and her tier."""
    with installation.transaction("test") as session:
        kept = run(session, BOOKS, who=who)
        hers = many.resolve_or_make(session, Selector(shop_customer_id=who)) if kept else None
        return kept, tiers.tier(session, hers) if hers else None


def test_many_orders_of_which_somebody_else_keeps_one_meanwhile_are_kept_once_each(shop: Shop) -> None:  # G5
    """A copy can't leave out what another has just kept: all are done the other way then."""
    with shop.installation.transaction("test") as session:
        her = many.resolve_or_make(session, Selector(phone="13800138000"))
    items = (place.Item("bean", "耶加雪菲", "咖啡", 2, 13_400), place.Item("cup", '杯, "小"\\', "", 1, 0))
    told = [place.NewOrder(f"B{n}", her, clock.now(), 100, items) for n in range(1, MANY + 1)]

    def land(orders: list[place.NewOrder]) -> int:
        with shop.installation.transaction("test") as session:
            return len(place.land(session, orders).fresh)

    with ThreadPoolExecutor(1) as pool, shop.installation.transaction("test") as session:
        place.land(session, told[7:8])
        late = pool.submit(land, told)
        assert waited_for(session)
        session.commit()
        assert late.result(60) == MANY - 1
    assert land(told) == 0
    with shop.installation.transaction("test") as session:
        kept = place.stored(session, [one.order_id for one in told])
        bought = session.execute(text("SELECT name, count(*) FROM order_items WHERE sku = 'cup' GROUP BY 1")).all()
    assert (len(kept), bought) == (MANY, [('杯, "小"\\', MANY)])
