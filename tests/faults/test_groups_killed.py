"""Kill -9 of what places and invites, and of what sends, while a segment group's people are invited: each once (T7)."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
from deeds.driver import until
from running import Shop, shop

KF, PEOPLE, KILLS = "wkshop", 24, 4
BELONG = "SELECT count(*) FROM group_assignments WHERE ended_at IS NULL"
SENT = "SELECT count(*) FROM invitations WHERE state = 'sent'"


@pytest.fixture(scope="module")
def town() -> Iterator[Shop]:
    with shop() as made:
        yield made


def test_whoever_dies_meanwhile_everybody_is_invited_once(town: Shop) -> None:  # T7 G5 G6
    lake = town.api.post("/tag-groups", {"name": "门店", "kind": "profile", "single_choice": True, "tags": ["西湖店"]})
    people = [tagged(town, n, lake["tags"][0]["id"]) for n in range(PEOPLE)]
    chat = str(town.phone.sim("POST", "group-chats", name="一群", owner="lily")["chat_id"])
    route = {"tag_id": lake["tags"][0]["id"], "chats": [chat]}
    town.phone.sim("POST", "faults", path="kf/send_msg", delay_s=0.3, times=PEOPLE)
    body = {"name": "门店社群", "routes": [route], "invitation": {"text": "来"}, "invite_existing": True}
    town.api.post("/segment-groups", body)
    for n in range(KILLS):
        kill(town, "parts lanes" if n % 2 else "parts hot")
        time.sleep(0.7)
    until(lambda: (town.scalar(BELONG), town.scalar(SENT)) == (PEOPLE, PEOPLE))
    assert [cards(town, who) for who in people] == [1] * PEOPLE
    assert town.differences() == []


def tagged(town: Shop, number: int, tag_id: str) -> str:
    """A contact with the tag and an open 微信客服 window."""
    who = town.phone.add_contact(f"客{number:02}")
    until(lambda: town.added(who) == 1)
    town.phone.say(who, "你好", KF)
    window = "SELECT count(*) FROM kf_windows WHERE external_userid = :her"
    until(lambda: town.scalar(window, her=who) == 1)
    town.api.put(f"/customers/{town.api.customer(who)['id']}/tags/{tag_id}")
    return who


def kill(town: Shop, words: str) -> None:
    pid = town.running.part(words)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def cards(town: Shop, who: str) -> int:
    """How many invitations reached her."""
    return sum("/r/" in str(one.get("link", one.get("text"))) for one in town.phone.inbox(who))
