"""What a brand edits while the program runs: the values domain.md marks *default*, by the names of `GET /settings`.

A feature declares a typed value beside the rule that reads it; a change is validated, kept in the table `preferences`
and seen by every process within `FRESH_SECONDS`.

    earning_steps = preference("earning_steps", tuple[Step, ...], default=(…), help="…")
    earning_steps.of(session)
"""

import time
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.core import clock
from bot.core.db import At, Base, Json
from bot.core.errors import Fault, Unacceptable
from bot.core.feature import Register
from bot.core.installation import after_commit, installation_of

FRESH_SECONDS = 2.0  # the contract promises 5 s in every process

Value = TypeVar("Value")


class PreferenceRow(Base):
    """A value that differs from its default."""

    __tablename__ = "preferences"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Json]
    changed_at: Mapped[At]
    changed_by: Mapped[str]


@dataclass(eq=False)
class Preference(Generic[Value]):
    """One named value with its type, its default and what it means (units included)."""

    name: str
    type: TypeAdapter[Value]
    default: Value
    help: str

    def of(self, session: Session) -> Value:
        """The value in force, at most `FRESH_SECONDS` old."""
        value: Value = _current(session).get(self.name, self.default)
        return value


preferences: Register[Preference[Any]] = Register("preferences")


def preference(name: str, kind: Any, *, default: Any, help: str, home: str) -> Preference[Any]:
    """Declare a value; `home` is the declaring module's `__name__`, `kind` any type pydantic can check."""
    made = Preference(name, TypeAdapter(kind), default, help)
    return preferences.mark(made, made, home)


def everything(session: Session) -> dict[str, Any]:
    """All values in force by name, as JSON."""
    return {one.name: one.type.dump_python(one.of(session), mode="json") for one in preferences}


def change(session: Session, name: str, value: Any) -> tuple[Any, Any]:
    """Set `name` to `value` (JSON) and return the former and the new value as JSON.

    Raises Unacceptable with pointers for an unknown name or a bad value.
    """
    one = next((one for one in preferences if one.name == name), None)
    if one is None:
        raise Unacceptable.at(f"/{name}", "there is no setting of this name")
    try:
        checked = one.type.validate_python(value)
    except ValidationError as error:
        faults = [Fault("/" + "/".join(map(str, (name, *each["loc"]))), each["msg"]) for each in error.errors()]
        raise Unacceptable(f"{name}: {faults[0].detail}", tuple(faults)) from None
    before, after = (one.type.dump_python(each, mode="json") for each in (one.of(session), checked))
    values = {"value": after, "changed_at": clock.now(), "changed_by": session.info["actor"]}
    session.execute(
        insert(PreferenceRow).values(name=name, **values).on_conflict_do_update(index_elements=["name"], set_=values)
    )
    caches = installation_of(session).caches
    caches.pop("preferences", None)
    after_commit(session, lambda: caches.pop("preferences", None))
    return before, after


def _current(session: Session) -> dict[str, Any]:
    caches = installation_of(session).caches
    read_at: float
    values: dict[str, Any]
    read_at, values = caches.get("preferences", (0.0, {}))
    if not read_at or time.monotonic() - read_at > FRESH_SECONDS:
        rows = session.execute(select(PreferenceRow.name, PreferenceRow.value))
        stored: dict[str, Any] = dict(rows.all())
        values = {one.name: one.type.validate_python(stored[one.name]) for one in preferences if one.name in stored}
        caches["preferences"] = (time.monotonic(), values)
    return values
