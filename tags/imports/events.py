"""What imports announce."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class CustomerImported(Event, name="customer.imported"):
    """She was nobody until a row of a file named her. file: what it is called."""

    import_id: int
    file: str
