"""One action on many customers: a filter or a few of them, done some at a time, told how far it is, and taken back.

    @bulk
    class TagOn(Bulk):
        name, label, icon, permission, part = "tag_on", _l("打标签"), "tags", "tags:write", "tagging/_bulk.html"
        def read(self, session: Session, form: Form) -> Json: ...
        def do(self, session: Session, customer_ids: Sequence[int], values: Json, source: str) -> int: ...

What it did is in the events of whoever did it, under the source `bulk:<run>` (G4); so taking it back reads those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Conflict, NotFound
from bot.core.feature import Register
from bot.core.jobs import Job, Progress, enqueue
from bot.operators.audit import record_audit
from bot.web.forms import Form
from tags.people import finding
from tags.people.models import BulkRun, Customer
from tags.people.phones import hidden

Json = dict[str, Any]
AT_ONCE = 100  # customers in one transaction
UNDO_DAYS = 7


@dataclass(frozen=True)
class Whom:
    """Whom an action is for: ids, or everybody whom the list's filters find. wanted: values by filter name."""

    q: str = ""
    wanted: tuple[tuple[str, str], ...] = ()
    ids: tuple[int, ...] = ()

    def json(self) -> Json:
        """As a run keeps it."""
        return {"q": self.q, "wanted": dict(self.wanted), "ids": list(self.ids)}

    @classmethod
    def of(cls, kept: Json) -> "Whom":
        """What `json` gave."""
        return cls(kept["q"], tuple(kept["wanted"].items()), tuple(kept["ids"]))

    def count(self, session: Session) -> int:
        """How many they are now."""
        return len(self.ids) or finding.count(session, q=self.q, wanted=dict(self.wanted))

    def after(self, session: Session, customer_id: int, limit: int) -> Sequence[int]:
        """The next ones by id."""
        if self.ids:
            query = select(Customer.id).where(Customer.id.in_(self.ids), Customer.merged_into.is_(None))
            return list(session.scalars(query.where(Customer.id > customer_id).order_by(Customer.id).limit(limit)))
        return finding.after(session, customer_id, limit, q=self.q, wanted=dict(self.wanted))


class Bulk:
    """An action. part: the template of its fields; undoes: whether `undo` is there."""

    name: ClassVar[str]
    label: ClassVar[Any]
    icon: ClassVar[str]
    permission: ClassVar[str]
    part: ClassVar[str]
    undoes: ClassVar[bool] = False

    def context(self, session: Session) -> Json:
        """What the template of its fields shows."""
        return {}

    def read(self, session: Session, form: Form) -> Json:
        """What is to be done, out of the form, which notes what is wrong."""
        raise NotImplementedError

    def words(self, session: Session, values: Json, lang: str) -> str:
        """What is done, in words."""
        raise NotImplementedError

    def do(self, session: Session, customer_ids: Sequence[int], values: Json, source: str) -> int:
        """Do it to these, by rising id; to how many it made a difference. Safe to repeat. source: who does it."""
        raise NotImplementedError

    def touched(self, session: Session, run: BulkRun, after: int, limit: int) -> Sequence[int]:
        """The next customers, by id, to whom a run made a difference."""
        raise NotImplementedError

    def undo(self, session: Session, customer_ids: Sequence[int], run: BulkRun) -> int:
        """Take back what a run did to these; of how many. Safe to repeat."""
        raise NotImplementedError


Class = TypeVar("Class", bound=type[Bulk])
actions: Register[type[Bulk]] = Register("bulk actions")


def bulk(kind: Class) -> Class:
    """Mark a class as an action on many customers."""
    return actions.mark(kind, kind)


def action(name: str) -> Bulk:
    """The action of this name. Raises NotFound."""
    for kind in actions:
        if kind.name == name:
            return kind()
    raise NotFound(f"there is no action {name} on many customers")


def begin(session: Session, name: str, whom: Whom, values: Json, job: Job) -> BulkRun:
    """Write a run down and let the worker do it."""
    now, actor = clock.now(), session.info["actor"]
    run = BulkRun(action=name, whom=whom.json(), form_values=values, changed=0, begun_at=now, begun_by=actor)
    session.add(run)
    session.flush()
    run.job_id = enqueue(session, job, run_id=run.id)
    told = {"whom": {**whom.json(), "q": hidden(whom.q)}, "values": values}
    record_audit(session, f"bulk.{name}", f"bulk:{run.id}", None, told)
    return run


def get(session: Session, run_id: int) -> BulkRun:
    """A run. Raises NotFound."""
    found = session.get(BulkRun, run_id)
    if found is None:
        raise NotFound(f"there is no bulk run {run_id}")
    return found


def step(session: Session, progress: Progress, run_id: int) -> bool:
    """Do it to the next ones; whether there may be more."""
    run, after = get(session, run_id), progress.cursor or 0
    whom = Whom.of(run.whom)
    if progress.total is None:
        progress.total = whom.count(session)
    ids = whom.after(session, after, AT_ONCE)
    if ids:
        run.changed += action(run.action).do(session, ids, run.form_values, source_of(run))
        progress.advance(len(ids), ids[-1])
    return len(ids) == AT_ONCE


def begin_undo(session: Session, run_id: int, job: Job) -> BulkRun:
    """Let the worker take a finished run back. Raises Conflict where that can't be done."""
    run = session.get(BulkRun, run_id, with_for_update=True)
    if run is None or not can_undo(session, run):
        raise Conflict(f"bulk run {run_id} can't be taken back: under way, taken back, or {UNDO_DAYS} days old")
    run.undone_at, run.undone_by = clock.now(), session.info["actor"]
    run.undo_job_id = enqueue(session, job, run_id=run.id)
    record_audit(session, "bulk.undone", f"bulk:{run.id}", None, {"changed": run.changed})
    return run


def can_undo(session: Session, run: BulkRun) -> bool:
    """Whether a run is through, made a difference, and is young enough to be taken back."""
    young = clock.now() - run.begun_at < timedelta(days=UNDO_DAYS)
    state = session.get_one(Progress, run.job_id).state
    return action(run.action).undoes and run.undone_at is None and run.changed > 0 and young and state == "done"


def step_back(session: Session, progress: Progress, run_id: int) -> bool:
    """Take it back of the next ones; whether there may be more."""
    run, after = get(session, run_id), progress.cursor or 0
    if progress.total is None:
        progress.total = run.changed
    kind = action(run.action)
    ids = kind.touched(session, run, after, AT_ONCE)
    if ids:
        kind.undo(session, ids, run)
        progress.advance(len(ids), ids[-1])
    return len(ids) == AT_ONCE


def source_of(run: BulkRun) -> str:
    """As whose doing the events of a run stand."""
    return f"bulk:{run.id}"
