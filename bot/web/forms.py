"""Reading a form: each reader returns the value, or notes what is wrong under the field's name.

    form = Form.sent()
    name = form.text("name", _("名称"), longest=30)
    days = form.integer("days", _("天数"), least=1, most=3650)
    if form.errors:
        return refused("live_codes/edit.html", "live_codes/_edit.html", form=form)
    if form.first():
        service.create(...)
    return go(url_for(".index"))

The field macros of `ui.html` read the same object, so a refused form shows what was typed and the words beside it.
"""

import secrets
from collections.abc import Collection, Mapping
from typing import Any, cast

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from bot.core.errors import Problem
from bot.web import edge, idempotency
from bot.web.show import explained


class Form:
    """What a form shows or was sent with. `values` by field name; `errors` say what was expected and what was found.

    `key` is made with the form and comes back with it: the idempotency key of the write it leads to (G5).
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.values: MultiDict[str, Any] = values if isinstance(values, MultiDict) else MultiDict(values or {})
        self.errors: dict[str, str] = {}
        self.key = str(self.values.get("form_key") or secrets.token_urlsafe(16))

    @classmethod
    def sent(cls) -> "Form":
        """The form of this request."""
        return cls(request.form)

    def first(self) -> bool:
        """Whether this form is sent for the first time; a second tap waits for the first and then gets False (G5).

        A write that is refused or fails does not count, so the corrected form may be sent again.
        """
        claimed = idempotency.claim(f"form:{self.key}", request.path)
        if claimed is not None:
            edge.after_rollback(lambda session: idempotency.release(session, claimed))
        return claimed is not None

    def text(self, name: str, label: str, *, longest: int, optional: bool = False) -> str:
        """A text without the white space around it, "" where an optional one is empty. longest: characters."""
        value = str(self.values.get(name, "")).replace("\r\n", "\n").strip()
        if not value and not optional:
            self.refuse(name, _("请填写%(label)s", label=label))
        elif len(value) > longest:
            self.refuse(name, _("%(label)s最多 %(longest)s 个字，现在是 %(found)s 个",
                                label=label, longest=longest, found=len(value)))  # fmt: skip
        return value

    def integer(self, name: str, label: str, *, least: int, most: int, optional: bool = False) -> int | None:
        """A whole number between `least` and `most`; None where an optional one is empty or the value is refused."""
        typed = str(self.values.get(name, "")).strip().replace(",", "").replace("−", "-")
        if not typed and optional:
            return None
        try:
            value = int(typed)
        except ValueError:
            value = least - 1
        if least <= value <= most:
            return value
        self.refuse(name, _("%(label)s要在 %(least)s 到 %(most)s 之间，现在是 %(found)s",
                            label=label, least=f"{least:,}", most=f"{most:,}", found=typed or _("空的")))  # fmt: skip
        return None

    def choice(self, name: str, label: str, among: Collection[str], *, optional: bool = False) -> str:
        """One of `among`, "" where an optional one is not chosen."""
        value = str(self.values.get(name, ""))
        if value not in among and not (optional and not value):
            self.refuse(name, _("请选择%(label)s", label=label))
        return value

    def choices(self, name: str, label: str, among: Collection[str], *, optional: bool = True) -> list[str]:
        """The chosen ones of `among`, in the order of the form."""
        values = [str(value) for value in self.values.getlist(name) if value]
        if not set(values) <= set(among) or not (values or optional):
            self.refuse(name, _("请选择%(label)s", label=label))
        return values

    def checked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return name in self.values

    def refuse(self, name: str, words: str) -> None:
        """Note what is wrong with a field; the first word on a field stays."""
        self.errors.setdefault(name, words)

    def take(self, problem: Problem) -> None:
        """Note a service's refusal under the fields its JSON pointers name (`/tags/0` is the field `tags`)."""
        for fault in problem.faults:
            self.refuse(fault.pointer.strip("/").split("/")[0], fault.said)
        if not problem.faults:
            why = explained(cast("int | None", problem.facts.get("errcode")))
            self.refuse("", _("企业微信拒绝了：%(why)s", why=why) if why else problem.said)
