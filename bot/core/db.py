"""The database: declarative base, column types, engine. PostgreSQL only, 15 or newer.

Ids are bigint identities, moments `timestamptz` in UTC, money and points bigint. Services take a `Session` and never
commit; the edge (`Installation.transaction`) commits once.
"""

import json
from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, Engine, Identity, MetaData, Text, create_engine
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, mapped_column

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
At = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True))]
Big = Annotated[int, mapped_column(BigInteger)]
Json = Annotated[Any, mapped_column(JSONB(none_as_null=True))]  # None is NULL, never the JSON value null


class Base(DeclarativeBase):
    """Every table of ours; constraint names are fixed so that migrations can name them."""

    type_annotation_map: ClassVar = {str: Text}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def connect(url: str, pool_size: int = 10) -> Engine:
    """An engine whose connections speak UTC and are checked before use, so a restarted database is met anew.

    pool_size: connections kept; as many again may be opened for a burst.
    """
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC -c lock_timeout=15s -c idle_in_transaction_session_timeout=60s"},
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    )
