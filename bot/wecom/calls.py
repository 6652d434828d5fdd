"""The calls an outbox row may name: how each is made, and how a lost answer is found out.

A row's payload is the keyword arguments of the client's method, as JSON.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.wecom.client import WeCom

Payload = dict[str, Any]
WELCOME_USED = 41051  # she has started chatting, or a welcome was delivered: after a lost answer that was ours
NO_SUCH_WAY = 41044  # config_id: after a lost answer it was deleted by us
KF_SAME_MSGID = 95032  # undocumented: what a second send under a msgid of ours is taken to be refused with


@dataclass(frozen=True)
class Call:
    """send: makes it, returns WeCom's answer. ask: finds it done (its answer) or not (None) when the answer was lost.

    repeatable: doing it twice is doing it once. done_codes: refusals which, on a repetition, say that it had been done.
    """

    name: str
    send: Callable[[WeCom, Payload], Any]
    ask: Callable[[WeCom, Payload], Payload | None] | None = None
    repeatable: bool = False
    done_codes: frozenset[int] = field(default_factory=frozenset)

    def means_done(self, errcode: int | None, attempts: int) -> bool:
        return attempts > 1 and errcode in self.done_codes


def _contact_way_of_state(wecom: WeCom, payload: Payload) -> Payload | None:
    for config_id in wecom.contact.list_contact_ways():
        way = wecom.contact.get_contact_way(config_id)
        if way.get("state") == payload["state"]:
            return {"config_id": config_id, "qr_code": way.get("qr_code")}
    return None


def _tags_of_names(wecom: WeCom, payload: Payload) -> Payload | None:
    names = {tag["name"] for tag in payload["tag"]}
    for group in wecom.contact.get_corp_tag_list():
        made = [tag for tag in group["tag"] if tag["name"] in names]
        named_group = group["group_id"] == payload.get("group_id") or group["group_name"] == payload.get("group_name")
        if named_group and len(made) == len(names):
            return {"tag_group": {**group, "tag": made}}
    return None


CALLS = {
    call.name: call
    for call in (
        Call(
            "send_welcome_msg", lambda w, p: w.contact.send_welcome_msg(**p), repeatable=True,
            done_codes=frozenset({WELCOME_USED}),
        ),
        Call("kf_send_msg", lambda w, p: w.kf.send_msg(**p), repeatable=True, done_codes=frozenset({KF_SAME_MSGID})),
        Call("kf_send_msg_on_event", lambda w, p: w.kf.send_msg_on_event(**p)),
        Call("kf_trans_service_state", lambda w, p: w.kf.trans_service_state(**p), repeatable=True),
        Call("mark_tag", lambda w, p: w.contact.mark_tag(**p), repeatable=True),
        Call("remark", lambda w, p: w.contact.remark(**p), repeatable=True),
        Call("add_corp_tag", lambda w, p: w.contact.add_corp_tag(**p), ask=_tags_of_names),
        Call("edit_corp_tag", lambda w, p: w.contact.edit_corp_tag(**p), repeatable=True),
        Call("del_corp_tag", lambda w, p: w.contact.del_corp_tag(**p), repeatable=True),
        Call("add_contact_way", lambda w, p: w.contact.add_contact_way(**p), ask=_contact_way_of_state),
        Call("update_contact_way", lambda w, p: w.contact.update_contact_way(**p), repeatable=True),
        Call("del_contact_way", lambda w, p: w.contact.del_contact_way(**p), repeatable=True),
        Call("add_join_way", lambda w, p: w.contact.add_join_way(**p)),
        Call("update_join_way", lambda w, p: w.contact.update_join_way(**p), repeatable=True),
        Call(
            "del_join_way", lambda w, p: w.contact.del_join_way(**p), repeatable=True,
            done_codes=frozenset({NO_SUCH_WAY}),
        ),
        Call("transfer_customer", lambda w, p: w.contact.transfer_customer(**p), repeatable=True),
        Call("message_send", lambda w, p: w.app.message_send(**p), repeatable=True),
    )
}  # fmt: skip


def named(name: str) -> Call:
    """The call of that name. Raises KeyError: a programmer's mistake, not an operator's."""
    return CALLS[name]
