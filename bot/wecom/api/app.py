"""The app: messages to members, media, members, web login and JS-SDK tickets; wecom.md §3.17 to §3.19."""

from bot.wecom.api import Answer, Api, text_in
from bot.wecom.transport import CONNECT_S, File

EVERYBODY = "@all"
UPLOAD_S = 30.0  # seconds of silence while WeCom takes in a file of up to 20 MB


class AppApi(Api):
    """Of wechatpy's classes only the idiom: theirs hard-code addresses and keep one ticket for all apps of a corp."""

    def message_send(self, touser: str, msgtype: str, agentid: int | None = None, **message: object) -> Answer:
        """→ `{"msgid", "invaliduser": "a|b", …}`, errcode 0 even where some are invalid (§3.17).

        touser: `a|b`, ≤ 1000, or `@all`. agentid: this app's by default. message: the object of the type, as
        `text={"content" ≤ 2048 bytes}`, and enable_duplicate_check with duplicate_check_interval ≤ 4 h. Raises Busy
        where a member has had 30 in this minute or 1000 in this hour, since WeCom would drop it without a word.
        """
        data = {"touser": touser, "msgtype": msgtype, "agentid": agentid or self._client.agent_id, **message}
        receivers = [] if touser == EVERYBODY else touser.split("|")
        return self._write("message/send", data, receivers=receivers)

    def media_upload(self, type: str, filename: str, content: bytes, content_type: str) -> Answer:
        """→ `{"media_id", "created_at": "unix seconds"}`, good for 3 days (§3.18).

        type: image ≤ 10 MB JPG or PNG, voice ≤ 2 MB and 60 s AMR, video ≤ 10 MB MP4, file ≤ 20 MB; all over 5 bytes.
        """
        return self._upload("media/upload", filename, content, content_type, type=type)

    def media_uploadimg(self, filename: str, content: bytes, content_type: str) -> str:
        """A lasting address of a picture of 5 bytes to 2 MB, for `pic_url` fields; 1000 a day, 3000 a month (§3.18)."""
        return text_in("media/uploadimg", self._upload("media/uploadimg", filename, content, content_type), "url")

    def media_get(self, media_id: str) -> File:
        """The file of a media_id of the last 3 days; 40007 unknown or older (§3.18)."""
        found: File = self._client.download("media/get", params={"media_id": media_id})
        return found

    def user_get(self, userid: str) -> Answer:
        """A member: `{"userid", "name", "department": […], "direct_leader": […], "status"}`; 60111 unknown (§3.17a)."""
        return dict(self._get("user/get", params={"userid": userid}))

    def agent_get(self) -> Answer:
        """The app itself: `{"agentid", "name", …}`; 301002 and 40056 where the agent id is not that of the secret's."""
        return dict(self._get("agent/get", params={"agentid": self._client.agent_id}))

    def getuserinfo(self, code: str) -> Answer:
        """Who logs in: `{"userid", …}` for a member, else `{"openid", "external_userid"?}`; 40029 used or old (§3.19).

        code: once, within 5 minutes; what the web login's redirect carries.
        """
        return dict(self._get("auth/getuserinfo", params={"code": code}))

    def jsapi_ticket(self) -> str:
        """The corp's ticket, for `wx.config`; shared by all processes like the access token (§3.19)."""
        return str(self._client.tickets["get_jsapi_ticket"].get())

    def agent_ticket(self) -> str:
        """The app's ticket, for `agentConfig` and `ww.register`; not interchangeable with the corp's (§3.19)."""
        return str(self._client.tickets["ticket/get"].get())

    def _upload(self, endpoint: str, filename: str, content: bytes, content_type: str, **params: str) -> Answer:
        files = {"media": (filename, content, content_type)}
        return dict(self._post(endpoint, params=params, files=files, timeout=(CONNECT_S, UPLOAD_S)))
