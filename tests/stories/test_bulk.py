"""One action on many customers: the filter is sent, everybody it means is tagged once, and it is taken back (T2 T4)."""

from typing import Any

import pytest
from shop import Shop
from sqlalchemy import select

from bot.core.errors import Conflict
from bot.core.events import EventRow
from bot.core.jobs import Progress
from tags.conditions.compact import pack
from tags.people import bulk, jobs
from tags.people.bulk import Whom
from tags.people.models import BulkRun

BUYERS = 5


@pytest.fixture
def buyers(shop: Shop) -> list[str]:
    """The first three have bought."""
    people = [shop.wecom.add_contact(f"客{n}", staff="lily") for n in range(BUYERS)]
    shop.run_jobs()
    for n, one in enumerate(people[:3]):
        shop.api.order(one, f"D{n}", 10_000)
    return people


def tagged(shop: Shop, people: list[str]) -> list[list[str]]:
    return [sorted(tag["name"] for tag in shop.api.customer(one)["tags"] if tag["kind"] == "profile") for one in people]


def tag_ids(shop: Shop, **group: Any) -> list[int]:
    made = shop.api.post("/tag-groups", {"name": "口味", "kind": "profile", "single_choice": True, **group})
    return [int(tag["id"]) for tag in made["tags"]]


def begin(shop: Shop, name: str, whom: Whom, tags: list[int]) -> int:
    with shop.installation.transaction("operator:1") as session:
        return bulk.begin(session, name, whom, {"tags": tags}, jobs.go_through).id


def undo(shop: Shop, run_id: int) -> None:
    with shop.installation.transaction("operator:1") as session:
        bulk.begin_undo(session, run_id, jobs.go_back)
    shop.run_jobs()


def test_everybody_a_filter_means_is_tagged_some_at_a_time(
    shop: Shop, buyers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # T2 T4
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    [light] = tag_ids(shop, tags=["浅烘"])
    run_id = begin(shop, "tag_on", Whom(wanted=(("where", pack({"orders": {}})),)), [light])
    shop.run_jobs()
    assert tagged(shop, buyers) == [["浅烘"]] * 3 + [[]] * 2
    with shop.installation.transaction("test") as session:
        run = session.get_one(BulkRun, run_id)
        progress = session.get_one(Progress, run.job_id)
        assert (run.changed, progress.done, progress.total, progress.state) == (3, 3, 3, "done")
        added = select(EventRow.data).where(EventRow.name == "tag.added", EventRow.data.contains({"tag_id": light}))
        assert [data["source"] for data in session.scalars(added)] == [f"bulk:{run_id}"] * 3


def test_what_a_run_replaced_comes_back_with_it(shop: Shop, buyers: list[str]) -> None:  # T1 T2 G4
    light, dark = tag_ids(shop, tags=["浅烘", "深烘"])
    shop.api.put(f"/customers/{shop.api.customer(buyers[0])['id']}/tags/{light}")
    run_id = begin(shop, "tag_on", Whom(), [dark])
    shop.run_jobs()
    assert tagged(shop, buyers) == [["深烘"]] * BUYERS
    undo(shop, run_id)
    assert tagged(shop, buyers) == [["浅烘"], *[[]] * 4]
    with pytest.raises(Conflict):
        undo(shop, run_id)


def test_those_who_are_ticked_lose_the_tag_and_get_it_back(shop: Shop, buyers: list[str]) -> None:  # T2 G4
    [light] = tag_ids(shop, tags=["浅烘"])
    begin(shop, "tag_on", Whom(), [light])
    shop.run_jobs()
    ids = tuple(int(shop.api.customer(one)["id"]) for one in buyers[:2])
    run_id = begin(shop, "tag_off", Whom(ids=ids), [light])
    shop.run_jobs()
    assert tagged(shop, buyers) == [[]] * 2 + [["浅烘"]] * 3
    undo(shop, run_id)
    assert tagged(shop, buyers) == [["浅烘"]] * BUYERS


def test_what_changed_nothing_can_not_be_taken_back(shop: Shop, buyers: list[str]) -> None:  # G4
    [light] = tag_ids(shop, tags=["浅烘"])
    run_id = begin(shop, "tag_off", Whom(), [light])
    shop.run_jobs()
    with pytest.raises(Conflict, match="can't be taken back"):
        undo(shop, run_id)
