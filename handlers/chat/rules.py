"""Understanding what she wrote (W2): pure rules over a vocabulary, no session, no clock.

A message is a row of *units*: each Chinese character is one, each run of other letters or digits is one. Three steps,
the surest first:

1. Covered: the message is words of questions and fillers, nothing else (`请问我的积分还有多少`).
2. Anywhere: a telling word of three units and more stands somewhere in it (`机器人答不了，转人工`). A short one must
   not swallow other words (会员价, 面积分析), so it counts only in step 1.
3. Slips: covered once one piece is read as a word it sounds like or is a slip of the finger away from.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import opencc
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from tags.people.names import sounds_of

Units = tuple[str, ...]

HANZI = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
IS_HANZI = re.compile(f"[{HANZI}]")
UNIT = re.compile(f"[{HANZI}]|[^\\W_{HANZI}]+")
TELLING = 3  # units, a word of letters counting double: 转人工, my points; not 会员, not points
SLIP_PRICE = 10  # of one piece read as a slip, against 1 for one read as it stands
MOST_PRICE = 2 * SLIP_PRICE - 1  # so that one slip is forgiven and a second is not
LONGEST_SLIP = 24  # units: a longer message is read as it stands, since with its length grows what it may sound like
CLOSE_SOUND = 85  # of 100, by rapidfuzz over pinyin letters: 人工客户 is 91 from 人工客服, 我的技能 76 from 我的积分
FINGER_SLIP_LETTERS = 4  # shorter words have real neighbours: vip, vie
SUBSTITUTION_LETTERS = 7  # from here on a wrong letter is forgiven too: balence; in short words it makes another word


@functools.cache
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)


def normalise(text: str) -> str:
    """`text` in one form: half width, lower case, simplified, no punctuation. Applied twice it changes nothing more."""
    while (once := _normalised(text)) != text:
        text = once
    return text


def _normalised(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    simple = _converter("t2s").convert(folded)
    return "".join(
        (" " if i and not (IS_HANZI.match(unit) or IS_HANZI.match(before)) else "") + unit
        for i, (before, unit) in enumerate(_pairs(UNIT.findall(simple.replace("'", "").replace("’", ""))))
    )


def _pairs(found: list[str]) -> Iterable[tuple[str, str]]:
    return zip(["", *found], found, strict=False)


def units(text: str) -> Units:
    """The units of a message in normal form."""
    return tuple(UNIT.findall(normalise(text)))


def language_of(text: str, before: str, words: "Vocabulary") -> str:
    """The language a message is written in: zh-CN, zh-TW or en; what tells nothing leaves `before` ("" becomes zh-CN).

    Characters that both scripts share tell Chinese only; so does pinyin. Words of up to three letters (ok, VIP) are
    written in every language.
    """
    folded = unicodedata.normalize("NFKC", text)
    chinese = before if before.startswith("zh") else "zh-CN"
    if IS_HANZI.search(folded):
        simple, traditional = (_converter(name).convert(folded) != folded for name in ("s2t", "t2s"))
        return "zh-TW" if traditional else "zh-CN" if simple else chinese
    letters = [unit for unit in units(text) if len(unit) > 3 and unit.isascii() and unit.isalpha()]
    if not letters:
        return before or "zh-CN"
    return chinese if any(words.is_pinyin(unit) for unit in letters) else "en"


@dataclass(frozen=True)
class Vocabulary:
    """What can be understood. phrases: units -> the question they ask, "" for a filler."""

    phrases: Mapping[Units, str]
    negations: frozenset[Units]
    false_friends: frozenset[Units]

    @classmethod
    def of(
        cls,
        questions: Mapping[str, Iterable[str]],
        *,
        fillers: Iterable[str] = (),
        negations: Iterable[str] = (),
        false_friends: Iterable[str] = (),
    ) -> "Vocabulary":
        """From words as people write them; a question's word counts before a filler's."""
        phrases = {units(word): "" for word in fillers}
        phrases |= {units(word): name for name, words in questions.items() for word in words}
        return cls(phrases, frozenset(map(units, negations)), frozenset(map(units, false_friends)))

    def understand(self, text: str) -> tuple[str, ...] | None:
        """The questions in a message, in its order; () where it only greets, None where it is not understood."""
        said = units(text)
        found = self._cover(said, slips=False)
        if found is None:
            found = self._anywhere(said) or None
        if found is None and len(said) <= LONGEST_SLIP:
            found = self._cover(said, slips=True)
        return found

    def is_pinyin(self, unit: str) -> bool:
        """Whether letters are the sound of a Chinese word of a question, or its initials: jifen, wdjf."""
        heard = self._by_sound.get(_sound((unit,)), ())
        return unit in self._by_initials or any(IS_HANZI.match(phrase[0]) for phrase in heard)

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.phrases), default=0)

    @cached_property
    def _by_sound(self) -> dict[str, list[Units]]:
        sounds: dict[str, list[Units]] = {}
        for phrase, question in self.phrases.items():
            if question:
                sounds.setdefault(_sound(phrase), []).append(phrase)
        return sounds

    @cached_property
    def _by_initials(self) -> dict[str, str]:
        """The questions of Chinese words by the first letters of their syllables, as input methods take them."""
        words = [(phrase, name) for phrase, name in self.phrases.items() if name and all(map(IS_HANZI.match, phrase))]
        return {
            "".join(_syllable(unit)[0] for unit in phrase): name
            for phrase, name in words if len(phrase) >= FINGER_SLIP_LETTERS
        }  # fmt: skip

    def _cover(self, said: Units, *, slips: bool) -> tuple[str, ...] | None:
        """The questions of the cheapest way to cover `said` with phrases; None if there is none."""
        best: dict[int, tuple[int, tuple[str, ...]]] = {0: (0, ())}
        for start in range(len(said)):
            if start not in best:
                continue
            price, found = best[start]
            for end in range(start + 1, min(start + self._longest, len(said)) + 1):
                question, more = self.phrases.get(said[start:end]), 1
                if question is None and slips:
                    question, more = self._slip(said[start:end]), SLIP_PRICE
                if question is None or price + more > MOST_PRICE * (1 if slips else len(said)):
                    continue
                if end not in best or price + more < best[end][0]:
                    asked = found if not question or question in found else (*found, question)
                    best[end] = (price + more, asked)
        return best[len(said)][1] if len(said) in best else None

    def _anywhere(self, said: Units) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for start in range(len(said)):
            for end in range(start + 1, min(start + self._longest, len(said)) + 1):
                question = self.phrases.get(said[start:end])
                if question and _tells(said[start:end]) and not self._denied(said[:start]):
                    found[question] = None
        return tuple(found)

    def _denied(self, before: Units) -> bool:
        return any(
            before[-length:] in self.negations for length in range(1, len(before) + 1) if length <= self._longest
        )

    def _slip(self, piece: Units) -> str | None:
        """The question of the word that `piece` is a slip of, None if it is none."""
        if piece in self.false_friends:
            return None
        if piece[0] in self._by_initials and len(piece) == 1:
            return self._by_initials[piece[0]]
        sound = _sound(piece)
        for phrase in self._by_sound.get(sound, ()):
            if _alike(piece, phrase):
                return self.phrases[phrase]
        for phrase, question in self.phrases.items():
            if question and (_finger_slip(piece, phrase) or _close(piece, sound, phrase)):
                return question
        return None


def _tells(phrase: Units) -> bool:
    return sum(1 if IS_HANZI.match(unit) else 2 for unit in phrase) >= TELLING


@functools.lru_cache(maxsize=20_000)
def _syllable(unit: str) -> str:
    return "".join(sounds_of(unit)) if IS_HANZI.match(unit) else unit


def _sound(phrase: Units) -> str:
    """Pinyin letters without tones, and without what southern speakers don't tell apart: zh z, ch c, sh s, ng n."""
    letters = "".join(map(_syllable, phrase))
    for heard, same in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n")):
        letters = letters.replace(heard, same)
    return letters


def _alike(piece: Units, phrase: Units) -> bool:
    """Equal in sound already: typed as pinyin, or with one character right, since 几份 and 鸡粉 sound like 积分 too."""
    if not any(map(IS_HANZI.match, piece)):
        return len("".join(piece)) >= FINGER_SLIP_LETTERS
    return any(mine == theirs for mine, theirs in zip(piece, phrase, strict=False))


def _close(piece: Units, sound: str, phrase: Units) -> bool:
    if len(phrase) < TELLING or len(phrase) != len(piece) or not all(map(IS_HANZI.match, (*piece, *phrase))):
        return False
    same = sum(mine == theirs for mine, theirs in zip(piece, phrase, strict=True))
    return 2 * same >= len(phrase) and fuzz.ratio(sound, _sound(phrase)) >= CLOSE_SOUND


def _finger_slip(piece: Units, phrase: Units) -> bool:
    """One letter too many, too few, or two swapped; in long words also a wrong one. The first letter is right."""
    if len(piece) != 1 or len(phrase) != 1 or IS_HANZI.match(phrase[0]):
        return False
    typed, word = piece[0], phrase[0]
    if typed[0] != word[0] or min(len(typed), len(word)) < FINGER_SLIP_LETTERS:
        return False
    swapped_or_length = len(typed) != len(word) or sorted(typed) == sorted(word)
    return OSA.distance(typed, word) == 1 and (swapped_or_length or len(word) >= SUBSTITUTION_LETTERS)
