"""What a comparison of models and database looks at: our tables, not Procrastinate's, nor the monthly partitions."""

from typing import Any


def include(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Alembic's `include_object`."""
    outside = ("procrastinate_", "events_", "installation", "alembic_version")
    return not (kind == "table" and reflected and name is not None and name.startswith(outside))
