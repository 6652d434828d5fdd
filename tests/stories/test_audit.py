"""What a person or a key changed stands in the audit, in words, and no phone in it (S1, S2, G4)."""

import re
from pathlib import Path

from shop import Shop
from sqlalchemy import select

from bot.operators.models import AuditRow
from bot.operators.trail import VERBS
from tags.people import bulk, jobs
from tags.people.phones import hidden
from tests.stories.test_groups import chat, routes, tags

ROOT = Path(__file__).parents[2]


def trail(shop: Shop) -> list[tuple[str, str]]:
    """Who did what, as the audit has it."""
    with shop.installation.transaction("test") as session:
        return [(row.actor, row.action) for row in session.scalars(select(AuditRow).order_by(AuditRow.id))]


def test_groups_tags_segment_groups_and_merges_are_made_and_changed_on_the_record(shop: Shop) -> None:  # S2 G4 T1 T7 C2
    before = len(trail(shop))
    lake, _ = tags(shop, "西湖店", "滨江店")
    tag_group = shop.api.get("/tag-groups")["data"][0]["id"]
    shop.api.patch(f"/tag-groups/{tag_group}", {"single_choice": False})
    one = shop.api.post("/tags", {"group_id": tag_group, "name": "城北店"})["id"]
    shop.api.delete(f"/tags/{one}")
    made = routes(shop, {"tag_id": lake, "chats": [chat(shop)]})
    shop.api.patch(f"/segment-groups/{made['id']}", {"name": "门店"})
    shop.api.delete(f"/segment-groups/{made['id']}")
    anna, bella = (
        shop.api.post("/orders", {"order_id": name, "customer": {"unionid": name}, "paid_at": "2026-01-02T03:04:05Z",
                                  "total_fen": 100, "items": []})["customer_id"]
        for name in ("anna", "bella")
    )  # fmt: skip
    merge = shop.api.post(f"/customers/{bella}/merge", {"into": {"customer_id": anna}})["id"]
    shop.api.post(f"/merges/{merge}/undo")
    assert trail(shop)[before:] == [
        ("api:1", action) for action in (
            "tag_group.made", "tag_group.changed", "tag.made", "tag.deleted", "segment_group.made",
            "segment_group.changed", "segment_group.closed", "customer.merged", "customer.merge_undone",
        )
    ]  # fmt: skip


def test_a_phone_that_was_searched_for_is_not_kept_whole(shop: Shop) -> None:  # S1 S2
    with shop.installation.transaction("operator:1") as session:
        bulk.begin(session, "tag_on", bulk.Whom(q="138 0013 8000"), {"tags": []}, jobs.go_through)
        row = session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(1)).one()
        assert row.after["whom"]["q"] == "*** **** 8000"
    assert [hidden(said) for said in ("8000", "+8613800138000", "张三 12345", "")] == [
        "8000", "+*********8000", "张三 *2345", "",
    ]  # fmt: skip


def test_every_action_of_the_audit_has_a_word() -> None:  # S2
    sources = [path.read_text() for top in ("bot", "tags", "handlers") for path in (ROOT / top).rglob("*.py")]
    named = {verb for text in sources for verb in re.findall(r'record_audit\([^"]*?f?"[^"]*\.(\w+)"', text)}
    done = named | {kind.name for kind in bulk.actions} | {"merged", "merge_undone"}
    assert {"made", "changed", "deleted"} <= named
    assert done - VERBS.keys() == set()
