"""Whose shop this is, on pages that customers open."""

from typing import Annotated

from pydantic import Field

from bot.core.preferences import preference

brand_name = preference(
    "brand_name", Annotated[str, Field(max_length=30)], default="", home=__name__,
    help="The brand's name as its customers know it; empty names none.",
)  # fmt: skip
