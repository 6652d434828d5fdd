"""客户联系: customers, tags, live codes, welcomes, mass sends and groups; wecom.md §3.3 to §3.9."""

from collections.abc import Iterator, Sequence

from wechatpy.work.client.api import WeChatExternalContact

from bot.wecom.api import Answer, Api, given, object_in
from bot.wecom.transport import CONNECT_S, READ_S

Strings = list[str]  # in the class `list` is an endpoint
Objects = list[Answer]

LARGEST_PAGE = 1000
PAGE = 100  # of customers, live codes and mass sends


class ContactApi(Api, WeChatExternalContact):  # type: ignore[misc]  # wechatpy has no types
    """wechatpy's class, with what it lacks or has wrong. Taken as they are:

    mark_tag(userid, external_userid, add_tag, remove_tag): lists of tag ids, not both empty; 84061 if she is not
    userid's; at most 3000 tags (§3.5).
    edit_corp_tag(id, name, order): of a tag or group that this app made, else 81011; 40071 if the name is taken (§3.5).
    del_contact_way(config_id) (§3.6).
    """

    def get_follow_user_list(self) -> Strings:
        """The userids of the members in the app's range who may have customers (§3.3)."""
        return list(super().get_follow_user_list().get("follow_user") or ())

    def list(self, userid: str) -> Strings:
        """The external_userids of all the member's customers; 84061 where there are none (§3.3)."""
        return list(super().list(userid).get("external_userid") or ())

    def get(self, external_userid: str, timeout_s: float | None = None) -> Answer:
        """`{"external_contact": {…}, "follow_user": [{…}]}` with all followers in the app's range (§3.3).

        timeout_s: what the caller can wait, 5 s by default. 40096 unknown, 84061 nobody's.
        """
        endpoint, patience = "externalcontact/get", timeout_s or READ_S

        def ask(cursor: str) -> Answer:
            asked = given(external_userid=external_userid, cursor=cursor or None)
            return dict(self._get(endpoint, params=asked, timeout=(min(patience, CONNECT_S), patience)))

        pages = [*self._pages(endpoint, ask)]  # more than one only where more than 500 follow her
        followers = [follower for page in pages for follower in page.get("follow_user") or ()]
        return {"external_contact": object_in(endpoint, pages[0], "external_contact"), "follow_user": followers}

    def batch_get_by_user(self, userid_list: Sequence[str], cursor: str = "") -> tuple[Objects, str]:
        """A page of `{"external_contact": {…}, "follow_info": {…}}` and the cursor of the next, "" at the end (§3.3).

        Of at most 100 members' customers. Tags are ids in `follow_info.tag_id`, without members' own. 84061 where they
        have none, 50100 for a cursor that is too old.
        """
        asked = {"userid_list": [*userid_list], "cursor": cursor, "limit": PAGE}
        page = self._write("externalcontact/batch/get_by_user", asked)
        return list(page.get("external_contact_list") or ()), page.get("next_cursor") or ""

    def remark(
        self,
        userid: str,
        external_userid: str,
        remark: str | None = None,
        description: str | None = None,
        remark_company: str | None = None,
        remark_mobiles: Sequence[str] | None = None,
        remark_pic_mediaid: str | None = None,
    ) -> Answer:
        """remark ≤ 20 characters, description ≤ 150, remark_company ≤ 20; mobiles replace those there (§3.4)."""
        data = given(
            userid=userid,
            external_userid=external_userid,
            remark=remark,
            description=description,
            remark_company=remark_company,
            remark_mobiles=remark_mobiles,
            remark_pic_mediaid=remark_pic_mediaid,
        )
        return self._write("externalcontact/remark", data)

    def get_corp_tag_list(self, tag_id: Sequence[str] = (), group_id: Sequence[str] = ()) -> Objects:
        """Tag groups with their tags: all, or those of the ids; `deleted` only where asked for by id (§3.5)."""
        data = {"tag_id": [*tag_id], "group_id": [*group_id]}
        return list(self._post("externalcontact/get_corp_tag_list", data=data).get("tag_group") or ())

    def add_corp_tag(
        self,
        tag: Sequence[Answer],
        group_id: str | None = None,
        group_name: str | None = None,
        order: int | None = None,
        agentid: int | None = None,
    ) -> Answer:
        """tag: `[{"name" ≤ 30 characters, "order" < 2³²}]`, not empty; → `{"tag_group": {…}}` (§3.5).

        With group_id, or the name of a group that exists, into that group. 40071 name taken, 40126 3000 in all.
        """
        data = given(tag=tag, group_id=group_id, group_name=group_name, order=order, agentid=agentid)
        return self._write("externalcontact/add_corp_tag", data)

    def del_corp_tag(self, tag_id: Sequence[str] = (), group_id: Sequence[str] = ()) -> Answer:
        """Not both empty; a group goes with its last tag. Only what this app made: 81011 (§3.5)."""
        return self._write("externalcontact/del_corp_tag", {"tag_id": [*tag_id], "group_id": [*group_id]})

    def add_contact_way(self, type: int, scene: int, **way: object) -> Answer:
        """A live code → `{"config_id", "qr_code"}` (§3.6). type: 1 one member, 2 several; scene: 1 mini program, 2 QR.

        way: style, remark ≤ 30 characters, skip_verify, state ≤ 30, user, party (≤ 100 people), is_exclusive, … 41045
        after 500,000 of them, 41054 member not active, 84074 member may not.
        """
        return self._write("externalcontact/add_contact_way", {"type": type, "scene": scene, **way})

    def get_contact_way(self, config_id: str) -> Answer:
        """The live code as it is, with `qr_code`; 41044 unknown (§3.6)."""
        return self._object("externalcontact/get_contact_way", "contact_way", config_id=config_id)

    def list_contact_ways(self, start_time: int | None = None, end_time: int | None = None) -> Iterator[str]:
        """The config_ids made through the API between two unix seconds, of the last 90 days by default (§3.6)."""
        endpoint = "externalcontact/list_contact_way"
        rows = self._rows(endpoint, "contact_way", start_time=start_time, end_time=end_time, limit=PAGE)
        return (row["config_id"] for row in rows)

    def update_contact_way(self, config_id: str, **way: object) -> Answer:
        """Changes what is named in `way` (see add_contact_way); user and party replace those there (§3.6)."""
        return self._write("externalcontact/update_contact_way", {"config_id": config_id, **way})

    def send_welcome_msg(
        self, welcome_code: str, text: Answer | None = None, attachments: Sequence[Answer] | None = None
    ) -> Answer:
        """Once, within 20 s of the event. text: `{"content" ≤ 4000 bytes}`; attachments ≤ 9; not both empty (§3.7).

        41050 too late, 41051 chatting already or welcomed; Busy on 41096, another app is sending.
        """
        data = given(welcome_code=welcome_code, text=text, attachments=attachments)
        return self._write("externalcontact/send_welcome_msg", data)

    def add_msg_template(self, **template: object) -> Answer:
        """Prepares a mass send, which members then confirm → `{"msgid", "fail_list"}` (§3.8).

        template: chat_type single|group, external_userid ≤ 10,000 or sender, chat_id_list ≤ 2000, tag_filter,
        text ≤ 4000 bytes, attachments ≤ 9, allow_select. 41048 nobody to send to.
        """
        return self._write("externalcontact/add_msg_template", template)

    def get_groupmsg_list_v2(
        self,
        chat_type: str,
        start_time: int,
        end_time: int,
        filter_type: int | None = None,
    ) -> Iterator[Answer]:
        """Mass sends made between two unix seconds, at most a month apart (§3.8).

        chat_type: single, group. filter_type: 0 the corp's, 1 members' own, else both.
        """
        return self._rows(
            "externalcontact/get_groupmsg_list_v2",
            "group_msg_list",
            chat_type=chat_type,
            start_time=start_time,
            end_time=end_time,
            filter_type=filter_type,
            limit=PAGE,
        )

    def get_groupmsg_task(self, msgid: str) -> Iterator[Answer]:
        """`{"userid", "status", "send_time"?}` of each member who has to confirm; 0 not sent, 2 sent (§3.8)."""
        return self._rows("externalcontact/get_groupmsg_task", "task_list", msgid=msgid, limit=LARGEST_PAGE)

    def get_groupmsg_send_result(self, msgid: str, userid: str) -> Iterator[Answer]:
        """`{"external_userid" | "chat_id", "status", "send_time"?}` of each receiver of a member's part (§3.8).

        status: 0 not sent, 1 sent, 2 not a friend, 3 she had her share of mass sends. Busy on 41063, right after it was
        made.
        """
        endpoint = "externalcontact/get_groupmsg_send_result"
        return self._rows(endpoint, "send_list", msgid=msgid, userid=userid, limit=LARGEST_PAGE)

    def remind_groupmsg_send(self, msgid: str) -> Answer:
        """Reminds the members who have not confirmed; at most 3 times in 24 h (41094) (§3.8)."""
        return self._write("externalcontact/remind_groupmsg_send", {"msgid": msgid})

    def cancel_groupmsg_send(self, msgid: str) -> Answer:
        """Takes back what members have not confirmed yet (§3.8)."""
        return self._write("externalcontact/cancel_groupmsg_send", {"msgid": msgid})

    def groupchat_list(self, owners: Sequence[str] = (), status_filter: int = 0) -> Iterator[Answer]:
        """`{"chat_id", "status"}` of every customer group, or those of at most 100 owners (§3.9).

        status: 0 in order, 1 owner left, 2 being inherited, 3 inherited. 81017 without owners where over 1000 members
        are visible.
        """
        owner_filter = {"userid_list": [*owners]} if owners else None
        return self._rows(
            "externalcontact/groupchat/list",
            "group_chat_list",
            status_filter=status_filter,
            owner_filter=owner_filter,
            limit=LARGEST_PAGE,
        )

    def groupchat_get(self, chat_id: str, need_name: int = 1) -> Answer:
        """The group with its member_list; `name` of a member only with need_name (§3.9)."""
        endpoint = "externalcontact/groupchat/get"
        return self._object(endpoint, "group_chat", chat_id=chat_id, need_name=need_name)

    def add_join_way(self, scene: int, chat_id_list: Sequence[str], **way: object) -> Answer:
        """A join code of 1 to 5 groups (41091) → `{"config_id"}`; its picture is in get_join_way (§3.9).

        scene: 1 mini program, 2 QR. way: remark ≤ 30 characters, auto_create_room (1), room_base_name ≤ 40,
        room_base_id, state ≤ 30, mark_source.
        """
        data = {"scene": scene, "chat_id_list": [*chat_id_list], **way}
        return self._write("externalcontact/groupchat/add_join_way", data)

    def get_join_way(self, config_id: str) -> Answer:
        """The join code as it is, with `qr_code` (§3.9)."""
        return self._object("externalcontact/groupchat/get_join_way", "join_way", config_id=config_id)

    def update_join_way(self, config_id: str, scene: int, chat_id_list: Sequence[str], **way: object) -> Answer:
        """Replaces the whole join code: what is not named goes back to its default (§3.9)."""
        data = {"config_id": config_id, "scene": scene, "chat_id_list": [*chat_id_list], **way}
        return self._write("externalcontact/groupchat/update_join_way", data)

    def del_join_way(self, config_id: str) -> Answer:
        """§3.9."""
        return self._write("externalcontact/groupchat/del_join_way", {"config_id": config_id})

    def transfer_customer(
        self,
        handover_userid: str,
        takeover_userid: str,
        external_userid: Sequence[str],
        transfer_success_msg: str | None = None,
        resigned: bool = False,
    ) -> Answer:
        """Begins handing at most 100 customers on → `{"customer": [{"external_userid", "errcode"}]}` (§3.13).

        errcode 0: begun, done by itself after 24 h; 40128 twice in 90 days, 40129 under way, 40131 not his.
        transfer_success_msg ≤ 200 characters, not where he has left the corp (`resigned`; 40097 where he has not).
        """
        data = given(
            handover_userid=handover_userid, takeover_userid=takeover_userid, external_userid=[*external_userid],
            transfer_success_msg=None if resigned else transfer_success_msg,
        )  # fmt: skip
        return self._write(f"externalcontact/{'resigned/' if resigned else ''}transfer_customer", data)

    def transfer_result(self, handover_userid: str, takeover_userid: str, resigned: bool = False) -> Iterator[Answer]:
        """`{"external_userid", "status", "takeover_time"}` of each customer handed from one to the other (§3.13).

        status: 1 done, 2 waiting, 3 she refused, 4 he has too many, 5 no record. takeover_time: unix seconds, or 0.
        """
        endpoint = f"externalcontact/{'resigned/' if resigned else ''}transfer_result"
        return self._rows(endpoint, "customer", handover_userid=handover_userid, takeover_userid=takeover_userid)

    def get_unassigned_list(self) -> Iterator[Answer]:
        """`{"handover_userid", "external_userid", "dimission_time"}` of customers whose member left (§3.13)."""
        return self._rows("externalcontact/get_unassigned_list", "info", page_size=LARGEST_PAGE)
