"""Schema migrations (Alembic): numbered, each fits the version before and after it; `head` names the newest.

Two branches that both add a migration collide in that file in git, before they collide in somebody's database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, text

from bot.core.errors import Refusal

HERE = Path(__file__).parent


def config(engine: Engine) -> Config:
    made = Config(attributes={"engine": engine})
    made.set_main_option("script_location", str(HERE))
    made.set_main_option("version_path_separator", "os")
    return made


class NoSuchSchema(Refusal):
    """There is no revision of that name, or it lies in the other direction."""


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the schema up to `to`; several processes at once take turns. Raises NoSuchSchema."""
    with _refusing(to):
        command.upgrade(config(engine), to)


def downgrade(engine: Engine, to: str) -> None:
    """Take the schema back to revision `to` (`0003`, `-1`, `base`). Raises NoSuchSchema."""
    with _refusing(to):
        command.downgrade(config(engine), to)


@contextmanager
def _refusing(to: str) -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise NoSuchSchema(f"the schema can't be moved to {to}: {error}; the newest is {newest()}") from None


def current(engine: Engine) -> str | None:
    """The revision the database stands at, None before the first."""
    with engine.connect() as connection:
        if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def newest() -> str:
    """The revision this program expects."""
    return (HERE / "head").read_text().strip()
