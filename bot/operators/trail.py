"""审计: who changed what and when, newest first, by the names of those who did it and of what they changed (S2, G4)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext, pgettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.operators import called, exports
from bot.operators.models import AuditRow
from bot.web import cursors
from bot.web.edge import session
from bot.web.guard import needs
from bot.web.language import spoken
from bot.web.menu import listed
from bot.web.pages import pages, render

PER_PAGE = 50
MOST_CHANGES, LONGEST_VALUE = 4, 60
VERBS = {
    "made": lazy_pgettext("audit", "新建"),
    "added": lazy_pgettext("audit", "新建"),
    "created": lazy_pgettext("audit", "新建"),
    "changed": lazy_pgettext("audit", "修改"),
    "deleted": lazy_pgettext("audit", "删除"),
    "exported": lazy_pgettext("audit", "导出"),
    "started": lazy_pgettext("audit", "开始"),
    "stopped": lazy_pgettext("audit", "停止"),
    "failed": lazy_pgettext("audit", "出错停下"),
    "done": lazy_pgettext("audit", "完成"),
    "closed": lazy_pgettext("audit", "关闭"),
    "revoked": lazy_pgettext("audit", "吊销"),
    "retried": lazy_pgettext("audit", "重试"),
    "restored": lazy_pgettext("audit", "恢复"),
    "undone": lazy_pgettext("audit", "撤销批量操作"),
    "tag_on": lazy_pgettext("audit", "批量打标签"),
    "tag_off": lazy_pgettext("audit", "批量摘标签"),
    "merged": lazy_pgettext("audit", "合并客户"),
    "merge_undone": lazy_pgettext("audit", "拆开合并的客户"),
    "adjusted": lazy_pgettext("audit", "调整积分"),
    "overruled": lazy_pgettext("audit", "推翻成员的改动"),
    "logged_in": lazy_pgettext("audit", "登录"),
    "logged_out": lazy_pgettext("audit", "退出登录"),
    "login_refused": lazy_pgettext("audit", "登录被拒"),
    "login_offered": lazy_pgettext("audit", "给出一次性登录"),
    "password_changed": lazy_pgettext("audit", "改密码"),
    "two_step_on": lazy_pgettext("audit", "开启两步验证"),
    "two_step_off": lazy_pgettext("audit", "关闭两步验证"),
}

FIELDS = {
    "name": lazy_pgettext("audit", "名称"),
    "role": lazy_pgettext("audit", "角色"),
    "enabled": lazy_pgettext("audit", "启用"),
    "points": lazy_pgettext("audit", "积分"),
    "reason": lazy_pgettext("audit", "原因"),
    "by": lazy_pgettext("audit", "方式"),
    "from": lazy_pgettext("audit", "来自"),
    "staff": lazy_pgettext("audit", "成员"),
    "tags": lazy_pgettext("audit", "标签"),
    "text": lazy_pgettext("audit", "文字"),
    "skip_verify": lazy_pgettext("audit", "免验证"),
    "remark_channel": lazy_pgettext("audit", "备注写上渠道"),
    "daily_cap": lazy_pgettext("audit", "每日上限"),
    "segment_group_id": lazy_pgettext("audit", "细分社群"),
    "phone": lazy_pgettext("audit", "手机"),
    "birthday": lazy_pgettext("audit", "生日"),
    "city": lazy_pgettext("audit", "城市"),
    "gender": lazy_pgettext("audit", "性别"),
    "language": lazy_pgettext("audit", "语言"),
    "kind": lazy_pgettext("audit", "种类"),
    "type": lazy_pgettext("audit", "类型"),
    "choices": lazy_pgettext("audit", "选项"),
    "key": lazy_pgettext("audit", "标识"),
    "group": lazy_pgettext("audit", "标签组"),
    "single_choice": lazy_pgettext("audit", "单选"),
    "routes": lazy_pgettext("audit", "路线"),
    "remind_after_days": lazy_pgettext("audit", "几天后提醒"),
    "where": lazy_pgettext("audit", "条件"),
    "when": lazy_pgettext("audit", "时机"),
    "if": lazy_pgettext("audit", "如果"),
    "then": lazy_pgettext("audit", "就"),
    "content": lazy_pgettext("audit", "内容"),
    "welcome": lazy_pgettext("audit", "欢迎语"),
    "scopes": lazy_pgettext("audit", "权限"),
    "size": lazy_pgettext("audit", "字节数"),
    "form": lazy_pgettext("audit", "格式"),
    "rows": lazy_pgettext("audit", "行数"),
    "q": lazy_pgettext("audit", "搜索"),
    "tier": lazy_pgettext("audit", "等级"),
    "tag": lazy_pgettext("audit", "标签"),
    "change": lazy_pgettext("audit", "改动"),
    "at": lazy_pgettext("audit", "时间"),
    "read": lazy_pgettext("audit", "读了"),
    "new": lazy_pgettext("audit", "新增"),
    "same": lazy_pgettext("audit", "没变"),
    "changed": lazy_pgettext("audit", "变了"),
    "rejected": lazy_pgettext("audit", "没收"),
}

console = pages("trail", __name__)


@dataclass(frozen=True)
class Step:
    """A row in words. changes: what is other than before."""

    row: AuditRow
    who: str
    verb: str
    what: str
    changes: list[str]


@console.get("/audit")
@listed("settings", _l("审计"), "history", "/console/audit", place=70)
@needs("audit:read")
def index() -> Response:
    rows, following = cursors.page(
        session(), select(AuditRow), [AuditRow.__table__.c.id], PER_PAGE, request.args.get("cursor"), desc=True
    )
    return render("operators/trail.html", steps=_steps(session(), rows), following=following)


@console.get("/audit/export")
@needs("audit:read")
def export() -> BaseResponse:
    """The whole trail as a file: in words, and as it is kept."""
    heads = [_("什么时候"), _("谁"), _("做了什么"), _("改动"), "id", "actor", "action", "target", "before", "after"]
    return exports.listed("audit", _("审计"), heads, select(AuditRow), [AuditRow.__table__.c.id], _cells, {}, desc=True)


def _cells(reading: Session, rows: Sequence[AuditRow]) -> Iterator[exports.Row]:
    for step in _steps(reading, rows):
        row = step.row
        kept = (None if one is None else json.dumps(one, ensure_ascii=False) for one in (row.before, row.after))
        yield [
            row.at, step.who, f"{step.verb} {step.what}", "；".join(step.changes), row.id, row.actor, row.action,
            row.target, *kept,
        ]  # fmt: skip


def _steps(session: Session, rows: Sequence[AuditRow]) -> list[Step]:
    names = called.names(session, {thing for row in rows for thing in (row.actor, *_things(row))}, spoken())
    return [
        Step(row, names.get(row.actor, row.actor), str(VERBS.get(row.action.rpartition(".")[2], row.action)),
             next((names[one] for one in _things(row) if one in names), _otherwise(row)), list(_changes(row)))
        for row in rows
    ]  # fmt: skip


def _things(row: AuditRow) -> tuple[str, str]:
    """What a row is about, as it may be named: in its target, or by the action and the id in its target."""
    return row.target, f"{row.action.partition('.')[0]}:{row.target}"


def _otherwise(row: AuditRow) -> str:
    """What is there no more is called as it was when it was changed."""
    kept = next((one["name"] for one in (row.after, row.before) if isinstance(one, dict) and one.get("name")), "")
    return f"「{kept}」" if kept else row.target.partition(":")[2] or row.target


def _changes(row: AuditRow) -> Iterator[str]:
    before, after = row.before, row.after
    if isinstance(before, dict) and isinstance(after, dict):
        differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        for name in differing[:MOST_CHANGES]:
            yield f"{FIELDS.get(name, name)}: {_short(before.get(name))} → {_short(after.get(name))}"
    elif before is not None and after is not None:
        yield f"{_short(before)} → {_short(after)}"
    elif isinstance(after, dict):
        unsaid = (dict, list, type(None))
        plain = [name for name, value in after.items() if name != "name" and not isinstance(value, unsaid)]
        yield from (f"{FIELDS.get(name, name)}: {_short(after[name])}" for name in plain[:MOST_CHANGES])


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return str(pgettext("audit", "是") if value else pgettext("audit", "否"))
    text = "—" if value in (None, "") else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
