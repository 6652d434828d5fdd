"""What a message may hold, and what gives way to an invitation (W1, T7)."""

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from, text
from pydantic import ValidationError

from bot.app.features import load_features
from handlers.messaging import placeholders
from handlers.messaging.content import Content, LinkCard
from handlers.messaging.enclosures import Enclosure, enclose

NAMES = ("name", "客户昵称", "staff", "员工", "points", "积分", "tier", "等级", "link", "链接")
OURS = ("bind_link", "绑定链接")  # beyond the contract: C7


@pytest.fixture(autouse=True)
def features() -> None:
    load_features()


def link(title: str = "商城") -> LinkCard:
    return LinkCard(type="link", title=title, url="https://shop.example/")


def test_the_placeholders_are_those_of_the_contract() -> None:  # W1
    assert {name for one in placeholders.placeholders for name in one.names} == {*NAMES, *OURS}


@given(text(sampled_from("积分ab{} \n"), max_size=30))
def test_a_text_is_saved_exactly_if_every_word_in_braces_is_a_placeholder(words: str) -> None:  # W1
    if all(found in NAMES for found in placeholders.MARK.findall(words)):
        assert Content(text=f"好{words}").text == f"好{words}"
    else:
        with pytest.raises(ValidationError):
            Content(text=f"好{words}")


@given(lists(sampled_from(["{name}", "{points}", "好", "a"]), min_size=30, max_size=70))
def test_a_text_that_was_saved_fits_whatever_is_filled_in(parts: list[str]) -> None:  # W1
    words, most = "".join(parts), 1000
    longest = words.replace("{name}", "n" * 64).replace("{points}", "p" * 20)
    if len(longest.encode()) <= most:
        assert placeholders.check(words, most) == words
    else:
        with pytest.raises(ValueError, match="bytes"):
            placeholders.check(words, most)


def test_ten_attachments_are_one_too_many() -> None:  # W1
    assert len(Content(attachments=[link()] * 9).attachments) == 9
    with pytest.raises(ValidationError):
        Content(attachments=[link()] * 10)


def test_of_nine_attachments_the_last_gives_way_to_the_card_of_an_invitation() -> None:  # T7 C9
    nine = Content(text="欢迎", attachments=[link(f"第 {n} 个") for n in range(1, 10)])
    whole, gave_way = enclose(nine, [Enclosure("来群里", link("进群"))])
    assert whole.text == "欢迎\n\n来群里"
    assert [one.title for one in whole.attachments if isinstance(one, LinkCard)] == [
        f"第 {n} 个" for n in range(1, 9)
    ] + ["进群"]
    assert [(one.why, one.what) for one in gave_way] == [("gave_way", "9")]


def test_eight_attachments_and_a_card_go_together() -> None:  # T7
    eight = Content(text="欢迎", attachments=[link()] * 8)
    whole, gave_way = enclose(eight, [Enclosure("来群里", link("进群"))])
    assert (len(whole.attachments), gave_way) == (9, [])


def test_the_end_of_a_full_text_gives_way_to_that_of_an_invitation() -> None:  # T7 C9
    full = Content(text="汉" * 1320 + "{points}")
    whole, gave_way = enclose(full, [Enclosure("来群里,{name}")])
    assert whole.text.endswith("…\n\n来群里,{name}")
    assert placeholders.longest(whole.text) <= 4000
    assert [one.why for one in gave_way] == ["cut"]


def test_without_an_invitation_nothing_changes() -> None:  # T7
    content = Content(text="汉" * 1333, attachments=[link()] * 9)
    assert enclose(content, []) == (content, [])
