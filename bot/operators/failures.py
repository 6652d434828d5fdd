"""失败与重试: what went wrong and waits for a person, callbacks, calls to WeCom, jobs, clock work; the foot signs (G5).

A retry is a person's decision and stands in the audit. What may have reached somebody is never offered for one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Response, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core import clock, ticks
from bot.core.feature import Register
from bot.core.jobs import failures as jobs
from bot.core.ticks import TickRow
from bot.operators import called
from bot.operators.audit import record_audit
from bot.web.edge import session
from bot.web.guard import needs
from bot.web.language import spoken
from bot.web.menu import Sign, listed, sign
from bot.web.pages import go, pages, render, toast
from bot.web.show import explained
from bot.wecom import inbox, outbox
from bot.wecom.inbox import InboxRow
from bot.wecom.outbox import OutboxRow

MOST_SHOWN = 50
OURS = ("own", "kf_message")  # sources of rows that no callback of WeCom's is
REFUSED_FOR = timedelta(days=7)  # how long a refusal is news
QUIET_FOR = timedelta(days=1)  # without a callback: worth a look at the app's settings in WeCom
SLOW_S, STUCK_S = 60, 600  # age of the queue
KINDS = {
    "ContactAdded": _l("添加好友"), "ContactEdited": _l("好友资料变更"), "ContactDeleted": _l("成员删了客户"),
    "FollowUserDeleted": _l("客户删了成员"), "TransferFailed": _l("继承失败"), "GroupChanged": _l("客户群变更"),
    "TagChanged": _l("标签变更"), "KfActivity": _l("微信客服有新消息"), "KfMessage": _l("微信客服消息"),
    "KfEntered": _l("进入微信客服"), "AppMessage": _l("发给应用的消息"), "AppEvent": _l("应用事件"),
    "Unreadable": _l("读不懂的消息"),
}  # fmt: skip
CALLS = {
    "send_welcome_msg": _l("发欢迎语"), "kf_send_msg": _l("发微信客服消息"),
    "kf_send_msg_on_event": _l("发微信客服欢迎"),
    "kf_trans_service_state": _l("转接微信客服"), "mark_tag": _l("打标签"), "remark": _l("改备注"),
    "add_corp_tag": _l("新建企业标签"), "edit_corp_tag": _l("修改企业标签"), "del_corp_tag": _l("删除企业标签"),
    "add_contact_way": _l("新建活码"), "update_contact_way": _l("修改活码"), "del_contact_way": _l("删除活码"),
    "add_join_way": _l("新建入群码"), "update_join_way": _l("修改入群码"), "message_send": _l("发应用消息"),
}  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """One row. again: the address that retries it; where nobody should, `instead` says why."""

    what: str
    who: str
    at: datetime | None
    why: str
    again: str
    customer_id: int | None = None
    instead: str = ""


Table = tuple[str, str, int, list[Failure]]  # title, what it is, how many there are, the newest
Fails = Callable[[Session], Table]
more: Register[Fails] = Register("failures")

console = pages("failures", __name__)


def fails(tell: Fails) -> Fails:
    """List what a function tells of on this page, too."""
    return more.mark(tell, tell)


@console.get("/failures")
@listed("settings", _l("失败与重试"), "rotate-ccw", "/console/failures", place=60)
@needs("failures:read")
def index() -> Response:
    callbacks, calls = _failing(), _unsent()
    failed_jobs, failed_ticks = jobs.failed(session(), MOST_SHOWN), _failed_ticks()
    tables = [
        (_("回调"), _("收到了，没处理成"), _count(callbacks),
         [_of_callback(row) for row in _newest(callbacks, InboxRow.id)]),
        (_("发给企业微信"), _("最近 7 天被拒绝的，和没有回话的"), _count(calls),
         [_of_call(row) for row in _newest(calls, OutboxRow.id)]),
        (_("后台任务"), _("等人重试；定时的会自己再来"), jobs.counts(session()).get("failed", 0) + len(failed_ticks),
         [*map(_of_tick, failed_ticks), *map(_of_job, failed_jobs)]),
        *(tell(session()) for tell in more),
    ]  # fmt: skip
    hers = {f"customer:{row.customer_id}" for *_head, rows in tables for row in rows if row.customer_id}
    return render(
        "operators/failures.html", tables=tables, total=sum(count for _n, _s, count, _rows in tables),
        names=called.names(session(), hers, spoken()),
    )  # fmt: skip


@console.post("/failures/<any(callback, call, job):kind>/<int:number>/retry")
@needs("failures:write")
def retry(kind: str, number: int) -> BaseResponse:
    {"callback": inbox.retry, "call": outbox.retry, "job": jobs.retry}[kind](session(), number)
    return _retried(kind, str(number))


@console.post("/failures/tick/<name>/retry")
@needs("failures:write")
def retry_tick(name: str) -> BaseResponse:
    ticks.retry(session(), name)
    return _retried("tick", name)


@sign
def callbacks(session: Session) -> Sign:
    """When WeCom last told us something."""
    newest = select(InboxRow.received_at).where(InboxRow.source.not_in(OURS)).order_by(InboxRow.id.desc()).limit(1)
    last = session.scalar(newest)
    if last is None:
        return Sign("warn", _("还没有收到过回调"))
    ago = clock.now() - last
    return Sign("good" if ago < QUIET_FOR else "warn", _("最近回调 %(ago)s前", ago=_span(ago)))


@sign
def queue(session: Session) -> Sign:
    """How long the oldest callback has waited."""
    age = inbox.oldest_wait(session)
    tone = "good" if age < SLOW_S else "warn" if age < STUCK_S else "bad"
    return Sign(tone, _("队列已等 %(age)s", age=_span(timedelta(seconds=age))) if age >= 1 else _("队列没有积压"))


def _retried(kind: str, name: str) -> BaseResponse:
    record_audit(session(), f"{kind}.retried", name)
    toast(_("正在重试，稍后刷新看结果"))
    return go(url_for(".index"))


def _span(span: timedelta) -> str:
    """`5 秒`, `3 分钟`, `2 小时`, `4 天`: the largest unit of which there is one."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        words = ngettext("%(num)s 秒", "%(num)s 秒", seconds)
    elif seconds < 3600:
        words = ngettext("%(num)s 分钟", "%(num)s 分钟", seconds // 60)
    elif seconds < 86_400:
        words = ngettext("%(num)s 小时", "%(num)s 小时", seconds // 3600)
    else:
        words = ngettext("%(num)s 天", "%(num)s 天", seconds // 86_400)
    return str(words)


def _failing() -> Select[Any]:
    """Parked, or tried in vain; one that was just put back has no attempt to its name yet."""
    stuck = InboxRow.parked_at.is_not(None) | (InboxRow.attempts > 0)
    return select(InboxRow).where(InboxRow.done_at.is_(None), stuck)


def _unsent() -> Select[Any]:
    news = (OutboxRow.state == "refused") & (OutboxRow.settled_at > clock.now() - REFUSED_FOR)
    return select(OutboxRow).where((OutboxRow.state == "unknown") | news)


def _failed_ticks() -> list[TickRow]:
    known = [tick.name for tick in ticks.ticks]
    failed = select(TickRow).where(TickRow.failed_at.is_not(None), TickRow.name.in_(known))
    return list(session().scalars(failed.order_by(TickRow.failed_at.desc())))


def _newest(query: Select[Any], key: Any) -> list[Any]:
    return list(session().scalars(query.order_by(key.desc()).limit(MOST_SHOWN)))


def _count(query: Select[Any]) -> int:
    return session().scalar(select(func.count()).select_from(query.subquery())) or 0


def _again(kind: str, number: int) -> str:
    return url_for(".retry", kind=kind, number=number)


def _of_callback(row: InboxRow) -> Failure:
    what = _("向企业微信查询") if row.source == "own" else str(KINDS.get(row.kind, row.kind))
    again = "" if row.parked_at else _("第 %(count)s 次没成，会自己再试", count=row.attempts)
    return Failure(what, row.key, row.received_at, row.error or "", _again("callback", row.id), instead=again)


def _of_call(row: OutboxRow) -> Failure:
    instead = ""
    if row.state == "unknown":
        instead = _("可能已送达，不重发")
    elif row.call == "send_welcome_msg":
        instead = _("欢迎语的凭证只有 20 秒，已过期")
    return Failure(
        str(CALLS.get(row.call, row.call)), "", row.settled_at or row.created_at, _why(row), _again("call", row.id),
        customer_id=row.customer_id, instead=instead,
    )  # fmt: skip


def _why(row: OutboxRow) -> str:
    """WeCom's code in the operator's language, else the sentence that was kept."""
    if row.state == "unknown":
        return str(_("企业微信没有回话，不知道做了没有"))
    return explained(row.errcode) or row.error or ""


def _of_job(job: jobs.FailedJob) -> Failure:
    given = ", ".join(f"{key}={value}" for key, value in job.args.items() if not key.startswith("_"))
    return Failure(job.name, given, job.at, job.error or _("执行它的进程没了"), _again("job", job.id))


def _of_tick(row: TickRow) -> Failure:
    return Failure(row.name, _("定时"), row.failed_at, row.error or "", url_for(".retry_tick", name=row.name))
