"""What operators read when WeCom says no."""

import copy
import pickle

import pytest

from bot.simulator.codes import MESSAGES
from bot.wecom import errors
from bot.wecom.errcodes import EXPLAINED


def test_a_refusal_is_one_sentence_in_both_languages():
    refusal = errors.answered("externalcontact/get", 84061, "not external contact, hint: [12], from ip: 1.2.3.4, more")
    assert refusal.zh == "企业微信拒绝了 externalcontact/get：她不是这位成员的客户 (84061 not external contact)"
    expected = "WeCom refused externalcontact/get: she is not a customer of this member (84061 not external contact)"
    assert str(refusal) == refusal.en == expected


def test_an_address_that_is_not_trusted_is_named_since_somebody_has_to_add_it():  # 60020
    said = "not allow to access from your ip, hint: [17], from ip: 1.2.3.4, more info at https://x"
    refusal = errors.answered("agent/get", 60020, said)
    assert refusal.errmsg == "not allow to access from your ip, from ip: 1.2.3.4"


def test_a_code_nobody_explained_shows_wecoms_words():
    refusal = errors.answered("a/b", 99999, "some words" + "x" * 900)
    assert refusal.zh == f"企业微信拒绝了 a/b：99999 {refusal.errmsg}"
    assert len(refusal.errmsg) == 200
    assert errors.answered("a/b", 99999, "").en == "WeCom refused a/b: 99999"


def test_a_wait_is_named():
    busy = errors.Busy("a/b", 45009, "all 10 in 60 s are used", 59.6)
    assert busy.en == "WeCom takes a/b again in 60 s: too many calls (45009 all 10 in 60 s are used)"
    assert busy.zh == "企业微信暂不受理 a/b，60 秒后再试：调用次数超过上限 (45009 all 10 in 60 s are used)"


def test_a_lost_connection_is_a_sentence_too():
    assert errors.NotSent("a/b").en == "WeCom could not be reached, a/b was not sent"
    lost = errors.Unknown("a/b", None, "no answer within 5 s")
    assert lost.en == "WeCom did not answer a/b, which may have been done: no answer within 5 s"


@pytest.mark.parametrize("kind", [errors.Refused, errors.TokenRejected, errors.Busy, errors.NotSent, errors.Unknown])
def test_an_error_survives_copying_and_another_process(kind):
    error = kind("a/b", 45009, "x", 7.0)
    for same in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (type(same), str(same), same.wait_s, same.errcode) == (kind, str(error), 7.0, 45009)


def test_what_is_done_for_sure_not_done_and_in_doubt():  # G6
    kinds = (errors.Refused, errors.TokenRejected, errors.Busy, errors.NotSent, errors.Unknown)
    assert [kind for kind in kinds if kind.may_be_done] == [errors.Unknown]
    assert [kind for kind in kinds if kind.permanent] == [errors.Refused]


def test_every_code_the_simulated_wecom_answers_is_explained():
    assert [code for code in MESSAGES if code not in EXPLAINED] == []


def test_explanations_are_short_and_end_without_a_full_stop():
    for zh, en in EXPLAINED.values():
        assert not zh.endswith(("。", "."))
        assert not en.endswith(".")
        assert not en[0].isupper()
