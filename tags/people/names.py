"""Names as they are sorted and found: by pinyin, whole or by initials."""

# Read otherwise as a surname than as a word; a name is taken by its surname's sound.
SURNAMES = {
    "曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "盖": "ge", "区": "ou", "朴": "piao",
    "翟": "zhai", "尹": "yin", "华": "hua", "任": "ren", "宁": "ning", "缪": "miao", "洗": "xian", "乐": "yue",
}  # fmt: skip


def sounds_of(text: str) -> list[str]:
    """The pinyin of each character; what is none stays as it is."""
    from pypinyin import lazy_pinyin  # 0.3 s of dictionaries, which no process waits for at its start

    return lazy_pinyin(text)


def name_key(name: str) -> str:
    """`李四 Anna` → `lisianna lsanna`: the whole sound, then the initials."""
    sounds = sounds_of(name)
    if name[:1] in SURNAMES:
        sounds[0] = SURNAMES[name[0]]
    whole = "".join(sounds).lower().replace(" ", "")
    initials = "".join(sound[0] if len(sound) > 1 and sound not in name else sound for sound in sounds)
    return f"{whole} {initials.lower().replace(' ', '')}".strip()
