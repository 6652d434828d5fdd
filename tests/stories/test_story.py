"""The story of one customer, end to end, as the demo plays it (C1 T1 T7 W1 W2 P2 F1)."""

import threading

from shop import Shop

from bot.app.demo import story
from bot.core.checks import checks
from bot.wecom.lane import Lane


def test_the_story_of_one_customer_comes_out_as_the_rules_say(shop: Shop) -> None:  # C1 T7 W1 W2 P2 F1
    stop = threading.Event()
    lane = threading.Thread(target=Lane(shop.installation, shop.client, threads=4).run, args=(stop,))
    lane.start()
    try:
        lines = list(story.play(shop.api, shop.wecom))
    finally:
        stop.set()
        lane.join()
    assert len(lines) == len(story.STEPS)
    with shop.installation.transaction("test") as session:
        assert [difference for check in checks for difference in check.run(session)] == []
