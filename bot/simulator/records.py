"""What a simulated corp remembers, thing by thing: plain records that go to a JSON file and back.

Times are unix seconds (float where the fraction matters), as WeCom's API has them. A relation lies with its member;
the customer keeps who follows her.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

Message = dict[str, object]  # {"msgtype": "text", "text": {…}}, WeCom's own shape


@dataclass
class App:
    """One secret: a self-built app, or the 客户联系 or 微信客服 system app. `visible` None is everybody."""

    secret: str
    agentid: int | None = None
    name: str = ""
    rights: list[str] = field(default_factory=lambda: ["contact", "kf"])
    visible: list[str] | None = None
    disabled: bool = False
    trusted_ips: list[str] | None = None

    def sees(self, userid: str) -> bool:
        return self.visible is None or userid in self.visible


@dataclass
class Received:
    """One thing that arrived in somebody's chat."""

    via: str
    sender: str
    at: float
    message: Message


@dataclass
class Token:
    """An access_token, or a jsapi ticket (`kind` corp or agent)."""

    value: str
    secret: str
    expires_at: float
    kind: str = "access"


@dataclass
class Relation:
    """A member follows a customer. `half`: she added him, he has not added back; `left`: she deleted him since."""

    userid: str
    external_userid: str
    createtime: int
    remark: str = ""
    description: str = ""
    remark_company: str = ""
    remark_mobiles: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    personal_tags: list[str] = field(default_factory=list)
    add_way: int = 0
    state: str = ""
    oper_userid: str = ""
    half: bool = False
    left: bool = False
    welcomed: bool = False
    chatted: bool = False
    last_contact: float = 0.0


@dataclass
class Member:
    """A member. `contact`: has 客户联系; `native_welcome`: the admin console gave him a welcome of its own."""

    userid: str
    name: str
    departments: list[int] = field(default_factory=lambda: [1])
    leaders: list[str] = field(default_factory=list)
    status: int = 1
    contact: bool = True
    native_welcome: bool = False
    relations: dict[str, Relation] = field(default_factory=dict)


@dataclass
class Resigned:
    """A member who left the corp: his customers wait for a successor."""

    userid: str
    at: float
    relations: dict[str, Relation] = field(default_factory=dict)


@dataclass
class Transfer:
    """A customer handed to another member. `status`: 1 done, 2 waiting, 3 refused, 4 the successor is full."""

    external_userid: str
    handover: str
    takeover: str
    at: float
    resigned: bool = False
    message: str = ""
    status: int = 2
    takeover_time: int = 0


@dataclass
class Customer:
    """A WeChat (`type` 1) or WeCom (2) user who met the corp as an external contact or in a kf account."""

    external_userid: str
    name: str
    openid: str
    gender: int = 0
    unionid: str = ""
    avatar: str = ""
    type: int = 1
    corp_name: str = ""
    followers: list[str] = field(default_factory=list)


@dataclass
class WelcomeCode:
    """`other_until`: another app is sending with it until then; `used`: a welcome of anybody's has been delivered."""

    code: str
    userid: str
    external_userid: str
    issued_at: float
    used: bool = False
    other_until: float = 0.0
    other_delivers: bool = False


@dataclass
class TagGroup:
    """`owner` is the secret of the app that made it, "" for the admin console; so for a Tag."""

    group_id: str
    group_name: str
    create_time: int
    order: int = 0
    deleted: bool = False
    owner: str = ""


@dataclass
class Tag:
    id: str
    group_id: str
    name: str
    create_time: int
    order: int = 0
    deleted: bool = False
    owner: str = ""


@dataclass
class Way:
    """A 联系我 contact way. `turn` says whose turn it is; `used` kills a temporary one."""

    config_id: str
    type: int
    scene: int
    created_at: float
    style: int = 0
    remark: str = ""
    skip_verify: bool = True
    state: str = ""
    user: list[str] = field(default_factory=list)
    party: list[int] = field(default_factory=list)
    is_temp: bool = False
    expires_in: int = 0
    chat_expires_in: int = 0
    unionid: str = ""
    is_exclusive: bool = False
    conclusions: dict[str, object] = field(default_factory=dict)
    turn: int = 0
    used: bool = False


@dataclass
class Media:
    """An uploaded file. `scene` "" for media/upload, "1" moments or "2" album for media/upload_attachment."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}

    media_id: str
    type: str
    filename: str
    content_type: str
    content: bytes
    created_at: int
    scene: str = ""


@dataclass
class AppMessage:
    """What message/send delivered, for its recall and its check against repetition."""

    msgid: str
    secret: str
    at: float
    receivers: list[str]
    content: str


@dataclass
class OAuthCode:
    """A code from the authorize page: who opened it, a member (`userid`) or somebody in WeChat (`external_userid`)."""

    at: float
    userid: str = ""
    external_userid: str = ""


@dataclass
class KfEntry:
    """One row of an account's log, as sync_msg gives it; `number` is its place, which cursors point at."""

    number: int
    at: float
    item: Message


@dataclass
class KfSession:
    """Her conversation with one account. `state` as service_state has it: 0 new, 1 bot, 2 pool, 3 servicer, 4 none.

    `wrote_at` her last message, `sent` the answers since; `entered_at` and `scene` her last opening; `welcomed_at` the
    last welcome; `coded` whether this session's first move to pool or servicer gave its reply code; `fails` the
    fail_types of her next answers.
    """

    external_userid: str
    state: int = 4
    servicer: str = ""
    wrote_at: float = 0.0
    entered_at: float = 0.0
    sent: int = 0
    welcomed_at: float = 0.0
    coded: bool = False
    fails: list[int] = field(default_factory=list)
    scene: dict[str, str] = field(default_factory=dict)
    chat: list[Received] = field(default_factory=list)


@dataclass
class KfAccount:
    """A 微信客服 account. `servicers`: userid → whether he is receiving. `native_welcome`: the console has one.

    `empty_pages`: so many next answers of sync_msg are empty though more is there; `page`: rows a page has at most.
    """

    open_kfid: str
    name: str
    media_id: str = ""
    native_welcome: bool = False
    servicers: dict[str, bool] = field(default_factory=dict)
    departments: list[int] = field(default_factory=list)
    log: list[KfEntry] = field(default_factory=list)
    written: int = 0
    sessions: dict[str, KfSession] = field(default_factory=dict)
    msgids: set[str] = field(default_factory=set)
    empty_pages: int = 0
    page: int = 1000


@dataclass
class KfToken:
    """A callback's token: authorises sync_msg of its account for ten minutes."""

    open_kfid: str
    at: float


@dataclass
class KfCode:
    """A code for send_msg_on_event: `scene` welcome, pool, taken or end says how long it lives and what it may send."""

    open_kfid: str
    external_userid: str
    scene: Literal["welcome", "pool", "taken", "end"]
    at: float


@dataclass
class KfLink:
    """What kf/add_contact_way made: opens the account, and tells `scene` to the enter_session event."""

    open_kfid: str
    scene: str


@dataclass
class GroupMember:
    """`type` 1 member of the corp, 2 external; `join_scene` 1 invited, 2 by link, 3 by QR code, with its `state`."""

    userid: str
    type: int
    join_time: int
    join_scene: int
    invitor: str = ""
    state: str = ""


@dataclass
class GroupChat:
    """A customer group. `capacity`: people who fit in by QR code; `welcome` the template its newcomers get."""

    chat_id: str
    opengid: str
    name: str
    owner: str
    create_time: int
    notice: str = ""
    capacity: int = 200
    welcome: str = ""
    dismissed: bool = False
    members: dict[str, GroupMember] = field(default_factory=dict)


@dataclass
class JoinWay:
    """A 加入群聊 join way: its QR code leads to the first of its chats with room."""

    config_id: str
    scene: int
    remark: str = ""
    auto_create_room: bool = True
    room_base_name: str = ""
    room_base_id: int = 1
    chat_id_list: list[str] = field(default_factory=list)
    state: str = ""


@dataclass
class GroupWelcome:
    """A 入群欢迎语 template; `owner` is the secret of the app that made it."""

    template_id: str
    owner: str
    messages: list[Message]


@dataclass
class MassResult:
    """`status`: 0 not sent, 1 sent, 2 not a friend any more, 3 she got her share of mass messages already."""

    target: str
    status: int = 0
    send_time: int = 0


@dataclass
class MassTask:
    """What one member has to confirm; `status` 0 waiting, 2 sent."""

    userid: str
    results: list[MassResult]
    status: int = 0
    send_time: int = 0


@dataclass
class MassSend:
    """A 企业群发; `creator` is "" for one made by API, else the member who sent it himself."""

    msgid: str
    chat_type: Literal["single", "group"]
    created_at: float
    creator: str
    messages: list[Message]
    tasks: dict[str, MassTask] = field(default_factory=dict)
    cancelled: bool = False
    reminders: list[float] = field(default_factory=list)


@dataclass
class Moment:
    """A 客户朋友圈 task. `published`: userid → when. `tags`: customers with any of them see it, empty for all."""

    moment_id: str
    jobid: str
    created_at: float
    messages: list[Message]
    senders: list[str]
    tags: list[str]
    invalid_senders: list[str] = field(default_factory=list)
    published: dict[str, int] = field(default_factory=dict)
