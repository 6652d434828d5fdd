"""A file's cells as those see them who may not see phones whole: masked where a phone is, or looks to be (S1). Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tags.imports.reasons import Reason
from tags.imports.values import plain

MOBILE = re.compile(r"(?<!\d)(?:\+?86[ -]?)?(1[3-9]\d)[ -]?\d{4}[ -]?(\d{4})(?!\d)")  # of the mainland


def cells(row: Sequence[str], mapping: Mapping[str, int]) -> list[str]:
    """The cells of a row. mapping: {field: column}, as an import has it."""
    return [_last_four(cell) if at == mapping.get("phone") else words(cell) for at, cell in enumerate(row)]


def reason(because: Reason, heads: Sequence[str], mapping: Mapping[str, int]) -> Reason:
    """A reason that may tell what stood in the column of phones. heads: of the file's columns."""
    its = mapping.get("phone")
    if its is not None and because.column == heads[its]:
        return replace(because, found=_last_four(because.found))
    return replace(because, found=words(because.found))


def words(text: str) -> str:
    """A text with the mobile numbers in it masked, as `138****8000`."""
    return MOBILE.sub(r"\1****\2", plain(text)) if MOBILE.search(plain(text)) else text


def _last_four(cell: str) -> str:
    return f"****{cell[-4:]}" if len(cell) > 4 else cell
