"""Names as they are sorted and found: by pinyin."""

from pypinyin import lazy_pinyin


def name_key(name: str) -> str:
    """`李四 Anna` → `lisianna`."""
    return "".join(lazy_pinyin(name)).lower().replace(" ", "")
