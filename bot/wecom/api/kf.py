"""微信客服: accounts, sessions, what customers write and what they are answered; wecom.md §4."""

from collections.abc import Sequence

from wechatpy.work.client.api import WeChatKF

from bot.wecom.api import Answer, Api, given, text_in

PAGE = 100


class KfApi(Api, WeChatKF):  # type: ignore[misc]  # wechatpy has no types
    """wechatpy's class, with what it lacks or has wrong. Taken as they are:

    get_service_state(open_kfid, external_userid) → `{"service_state": 0 new|1 assistant|2 pool|3 member|4 ended,
    "servicer_userid"?}` (§4.2).
    trans_service_state(open_kfid, external_userid, service_state, servicer_userid) → `{"msg_code"?}`; 95016 no such
    change, 95014 not a servicer, 95019 a servicer who has stopped (§4.2).
    """

    def list_accounts(self) -> list[Answer]:
        """`{"open_kfid", "name", "avatar", "manage_privilege"}` of each account the secret may see (§4.1)."""
        found: list[Answer] = []
        full = True
        while full:
            page = self._write("kf/account/list", {"offset": len(found), "limit": PAGE}).get("account_list") or []
            found += page
            full = len(page) == PAGE
        return found

    def add_contact_way(self, open_kfid: str, scene: str = "") -> str:
        """The link to the account; `&scene_param=` ≤ 128 bytes may be appended where there is a scene (§4.1).

        scene: ≤ 32 of 0-9 a-z A-Z _ -, comes back in `enter_session`.
        """
        return text_in("kf/add_contact_way", super().add_contact_way(open_kfid, scene), "url")

    def sync_msg(self, open_kfid: str, cursor: str = "", token: str = "", limit: int = 1000) -> Answer:
        """One page: `{"next_cursor", "has_more": 0|1, "msg_list": […]}`; ask again while has_more (§4.3).

        cursor: "" for the earliest of the last 3 days. token: of the callback, 10 min (95007); without it WeCom allows
        few calls, and being refused one does not hold up those with a token. has_more with an empty list is legal.
        """
        data = {"open_kfid": open_kfid, "cursor": cursor, "token": token, "limit": limit}
        return self._write("kf/sync_msg", data, counted_as="" if token else "kf/sync_msg without token")

    def send_msg(
        self, touser: str, open_kfid: str, msgtype: str, msgid: str | None = None, **content: object
    ) -> Answer:
        """→ `{"msgid"}`. content: the object of the type, as `text={"content" ≤ 2048 bytes}` (§4.4).

        msgid: ours, ≤ 32 of 0-9 a-z A-Z _ -, once an account. At most 5 for each message of hers (95001), within 48 h
        of it (95002), while no member serves her (95018). What fails later comes as KfSendFailed.
        """
        data = given(touser=touser, open_kfid=open_kfid, msgtype=msgtype, msgid=msgid, **content)
        return self._write("kf/send_msg", data)

    def send_msg_on_event(self, code: str, msgtype: str, msgid: str | None = None, **content: object) -> Answer:
        """→ `{"msgid"}`. One text or msgmenu for a welcome_code (20 s) or msg_code (48 h, at the end 20 s) (§4.4)."""
        return self._write("kf/send_msg_on_event", given(code=code, msgtype=msgtype, msgid=msgid, **content))

    def batchget_customer(
        self, external_userid_list: Sequence[str], need_enter_session_context: int = 0
    ) -> list[Answer]:
        """`{"external_userid", "nickname", "avatar", "gender", "unionid"?, …}` of at most 100 customers (§4.4).

        Who is unknown is left out; 95031 where they have not been active for 48 h.
        """
        data = {
            "external_userid_list": [*external_userid_list],
            "need_enter_session_context": need_enter_session_context,
        }
        return list(self._post("kf/customer/batchget", data=data).get("customer_list") or ())
