"""What a name is found by, and what was typed, as words of PostgreSQL's full-text search. Computes, knows no database.

A lexeme says by its first character what it is, so that a sound is never taken for a name:

- `=莴笋`, `=celtuce`: a whole name;
- `莴`, `莴笋`: each character and each two that stand side by side; `celtuce`: an English word;
- `~wosun`: how a name sounds from one of its syllables to its end; `^ws`: the initials of that;
- `%wosun`: the same, with what sounds alike in Sichuan written alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from django.utils.functional import cached_property

from backend.catalogue.search import readings
from backend.common.synonyms import load_groups

RELATED_MARK = "≈"
LONGEST_PHRASE = 60
LONGEST_LEXEME = 40
LONGEST_SLIP = 24
SHORTEST_SLIP = 4
# How alike a name is at most that has one character in common with what was typed.
FAINT = 0.4

# What people put around the name of what they look for.
_AROUND = re.compile(
    r"有没有|有卖|哪里买|怎么卖|多少钱|什么价|我要买|我想买|想买|要买|购买|新鲜的|新鲜|本地的?|今天的?|一斤|两斤|半斤|[一两]?公斤|价格|的$|[吗呢吧啊]$"
)
_WORD = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]+|[a-z0-9]+")
_STOP_WORDS = frozenset({"a", "an", "and", "the", "of", "with", "in", "for", "some", "fresh", "buy"})


@lru_cache(maxsize=4096)
def normalised(text: str, *, at_most: int | None = LONGEST_PHRASE) -> str:
    """NFKC, small letters, no tones, no more than so many characters."""
    text = unicodedata.normalize("NFKC", text[: at_most and 4 * at_most])[:at_most].lower().replace("ü", "v")
    bare = "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))
    return re.sub(r"['’`]", "", bare)


def stem(word: str) -> str:
    """An English word without its plural: chilies and chili are one."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-2]
    if len(word) > 4 and word.endswith("oes"):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def english_words(text: str) -> list[str]:
    """The words of an English text, without plurals and without what says nothing."""
    found = re.findall(r"[a-z0-9]+", normalised(text, at_most=None))
    return [stem(word) for word in found if word not in _STOP_WORDS] or [stem(word) for word in found]


def grams(text: str) -> tuple[list[str], list[str]]:
    """(single characters, pairs of neighbours) of the Chinese in a text."""
    ones: list[str] = []
    pairs: list[str] = []
    for run in _WORD.findall(text):
        if readings.is_han(run[0]):
            ones.extend(run)
            pairs.extend(run[at : at + 2] for at in range(len(run) - 1))
    return ones, pairs


# ---- What a name is found by -----------------------------------------------------------------------------------------

_STRENGTH = "ABCD"


@dataclass
class Lexemes:
    """{lexeme: A to D}, the strongest where one was added twice; and what a slip of the hand is compared with."""

    weights: dict[str, str] = field(default_factory=dict)
    slips: set[str] = field(default_factory=set)

    def add(self, lexeme: str, weight: str) -> None:
        lexeme = lexeme[:LONGEST_LEXEME]
        if len(lexeme) > (lexeme[:1] in "=~^%") and weight <= self.weights.get(lexeme, "E"):
            self.weights[lexeme] = weight

    def add_chinese(
        self, name: str, *, whole: str, pairs: str = "", ones: str = "", sound: str = "", pinyin: str = ""
    ) -> None:
        """Each argument is the weight of one kind of lexeme, or "" for none of it."""
        name = normalised(name)
        if not name:
            return
        self.add(f"={joined(name)}", whole)
        single, neighbours = grams(name)
        for one in single if ones else ():
            self.add(one, ones)
        for pair in neighbours if pairs else ():
            self.add(pair, pairs)
        if sound:
            for spoken in sounds(name, pinyin=pinyin):
                self._add_sound(spoken, sound)

    def _add_sound(self, spoken: Sequence[str], weight: str) -> None:
        weaker = _STRENGTH[min(_STRENGTH.index(weight) + 1, 3)]
        for at in range(len(spoken)):
            rest = spoken[at:]
            key, strength = "".join(rest), weight if at == 0 else weaker
            if len(rest) == 1 and at:
                continue
            self.add(f"~{key}", strength)
            self.add(f"%{readings.by_ear(key)}", weaker)
            self.add_slip(key)
            if len(rest) > 1:
                initials = "".join(syllable[0] for syllable in rest)
                self.add(f"^{initials}", strength)
                self.add(f"^{rest[0]}{initials[1:]}", weaker)

    def add_slip(self, key: str) -> None:
        key = readings.alike(key)
        if SHORTEST_SLIP <= len(key) <= LONGEST_SLIP:
            self.slips |= readings.with_one_left_out(key)

    def add_english(self, name: str, *, whole: str, words: str) -> None:
        found = english_words(name)
        self.add(f"={''.join(found)}", whole)
        for word in found:
            self.add(word, words)
            self.add_slip(word)

    def add_code(self, code: str) -> None:
        """A stock-keeping unit or a code, found by its beginning."""
        self.add(f"={joined(normalised(code))}", "B")

    def as_vector(self) -> str:
        """The text of a tsvector."""
        return " ".join(f"{quoted(lexeme)}:1{weight}" for lexeme, weight in sorted(self.weights.items()))


def joined(text: str) -> str:
    """A normalised text without what stands between its letters and characters."""
    return "".join(_WORD.findall(text))


def quoted(lexeme: str) -> str:
    """As tsvector and tsquery read it."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


@lru_cache(maxsize=4096)
def sounds(name: str, *, pinyin: str = "") -> tuple[tuple[str, ...], ...]:
    """The ways in which a name is read: as somebody wrote it, and as one who only knows the characters would."""
    guessed = readings.syllables("".join(each for each in name if readings.is_han(each)))
    written = readings.syllables_as_written(name, pinyin) if pinyin else ()
    return tuple(each for each in dict.fromkeys((written, guessed)) if each)


@dataclass(frozen=True)
class Kind:
    """A line of asked_for.txt."""

    asked: tuple[str, ...]
    related: tuple[str, ...]
    named: tuple[str, ...]

    def holds(self, name: str) -> bool:
        return any(name == word[1:] if word.startswith("=") else word in name for word in self.named)


@cache
def kinds() -> tuple[Kind, ...]:
    """asked_for.txt."""
    found = []
    for line in Path(__file__).with_name("asked_for.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        asked, _arrow, named = line.partition(" > ")
        words = [word.replace("-", " ") for word in asked.split()]
        found.append(
            Kind(
                asked=tuple(word for word in words if not word.endswith(RELATED_MARK)),
                related=tuple(
                    word.removesuffix(RELATED_MARK) for word in words if word.endswith(RELATED_MARK)
                ),
                named=tuple(named.split()),
            )
        )
    return tuple(found)


@cache
def _groups() -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """(the shop's name, all names with the longest first, names of what is related) of each group."""
    return tuple(
        (
            group.preferred,
            tuple(sorted(group.same, key=lambda word: (-len(word), word))),
            tuple(sorted(group.related)),
        )
        for group in load_groups()
    )


def other_names(name: str) -> tuple[list[str], list[str]]:
    """(names for the same, names of what is related) after synonyms.txt: 青二荆条 is 青二金条, and 二荆条, and 二金条."""
    same: dict[str, None] = {}
    related: dict[str, None] = {}
    for preferred, words, near in _groups():
        inside = next((word for word in words if word in name), None)
        if inside is None:
            continue
        for word in (preferred, *words):
            if word not in name:
                same[name.replace(inside, word)] = None
            same[word] = None
        related.update(dict.fromkeys(near))
    same.pop(name, None)
    return list(same), list(related)


def add_names(lexemes: Lexemes, *, name: str, name_en: str = "", pinyin: str = "") -> list[str]:
    """All that a thing is called, by itself and by others; gives its Chinese names, its own first."""
    lexemes.add_chinese(name, whole="A", pairs="B", ones="C", sound="B", pinyin=pinyin)
    lexemes.add_english(name_en, whole="A", words="B")
    if not any(map(readings.is_han, name)):
        lexemes.add_english(name, whole="A", words="B")
    same, related = other_names(name)
    for other in same:
        lexemes.add_chinese(other, whole="B", pairs="C", ones="D", sound="C")
    for other in related:
        lexemes.add_chinese(other, whole="C", pairs="D", sound="D")
    for kind in kinds():
        if kind.holds(name):
            for words, whole, part in ((kind.asked, "B", "C"), (kind.related, "C", "D")):
                for word in words:
                    if readings.is_han(word[0]):
                        lexemes.add_chinese(word, whole=whole, pairs=part, ones="D", sound="D")
                    else:
                        lexemes.add_english(word, whole=whole, words=part)
    return [name, *same]


# ---- What was typed --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """Three tsqueries. match: what must be there; exact: what of it is called just that; weigh: what counts, so that
    rank = ts_rank x operands."""

    match: str
    exact: str
    weigh: str
    operands: int


@dataclass(frozen=True)
class Phrase:
    """What somebody typed, taken apart. words: runs of Chinese or of letters, each with what stood between spaces."""

    words: tuple[str, ...]

    @cached_property
    def key(self) -> str:
        """How all of it sounds, as typed: 二jing条 is erjingtiao."""
        return "".join(
            "".join(readings.syllables(word)) if readings.is_han(word[0]) else word for word in self._runs
        )

    @cached_property
    def _runs(self) -> tuple[str, ...]:
        return tuple(run for word in self.words for run in _WORD.findall(word))

    @cached_property
    def is_latin(self) -> bool:
        return not any(map(readings.is_han, self.key_text))

    @cached_property
    def key_text(self) -> str:
        return "".join(self.words)

    def __bool__(self) -> bool:
        return bool(self.words)

    @cached_property
    def exact(self) -> str:
        """A whole name, or how one sounds: looked at first, however many others hold a part of it."""
        return f"{quoted('=' + self.key_text)} | {quoted('~' + self.key)}"

    def literal(self) -> Question | None:
        """What was meant as it stands: each word somewhere in the names."""
        operands: list[str] = []
        each = [_literal(word, operands) for word in self.words]
        if not each or None in each:
            return None
        match = _all(part for part in each if part)
        if len(self.words) > 1:
            whole = [quoted(f"={self.key_text}")]
            if self.is_latin:
                stemmed = "".join(english_words(" ".join(self.words)))
                whole += [
                    quoted(f"={stemmed}"),
                    f"{quoted('~' + self.key_text)}:*",
                    quoted(f"^{self.key_text}"),
                ]
            operands.extend(whole)
            match = _any((match, *whole))
        return self._question(match, operands)

    def heard(self) -> Question | None:
        """The same sound in other characters: 二金条."""
        if len(self.key) < 3 or (not self.is_latin and len(self.key_text) < 2):
            return None
        alike = readings.by_ear(self.key)
        operands = [quoted(f"~{self.key}"), quoted(f"%{alike}")]
        if len(alike) >= 5:
            operands.append(f"{quoted('%' + alike)}:*")
        return self._question(_any(operands), operands)

    def loose(self) -> Question | None:
        """Any part of it: for what is nowhere as a whole."""
        operands = []
        for run in self._runs:
            if readings.is_han(run[0]):
                ones, pairs = grams(run)
                operands += [quoted(each) for each in (*pairs, *ones)]
            else:
                operands += [quoted(stem(run))] + ([f"{quoted('~' + run)}:*"] if len(run) > 2 else [])
        operands = list(dict.fromkeys(operands))
        return self._question(_any(operands), operands) if operands else None

    def _question(self, match: str, operands: Sequence[str]) -> Question:
        return Question(match=match, exact=self.exact, weigh=_any(operands), operands=len(operands))

    def slips(self) -> set[str]:
        """What a name is looked for by when a letter of this may be wrong: the whole, and each longer word of letters."""
        found: set[str] = set()
        for key in self.slip_keys():
            found |= readings.with_one_left_out(key)
        return found

    def slip_keys(self) -> list[str]:
        keys = [self.key, *(stem(word) for word in self.words if word.isascii())]
        return [
            key
            for key in dict.fromkeys(map(readings.alike, keys))
            if SHORTEST_SLIP <= len(key) <= LONGEST_SLIP + 1
        ]

    def share(self, names: Iterable[str]) -> float:
        """How much of the best of the typed words is in these names, 0 to 1; a little more where others are, too."""
        text = normalised(" ".join(names), at_most=None)
        there = set(english_words(text)) | set(text)
        shares = []
        for word in self.words:
            pieces = [
                piece
                for run in _WORD.findall(word)
                for piece in (run if readings.is_han(run[0]) else [stem(run)])
            ]
            matching = sum(piece in there for piece in pieces)
            # One character in common makes 榴莲 no kind of 莲藕.
            is_faint = matching == 1 < len(pieces)
            shares.append(min(FAINT, matching / len(pieces)) if is_faint else matching / len(pieces))
        return max(shares, default=0.0) + sum(shares) / 100


def read_phrase(text: str) -> Phrase:
    """What was typed, without what people put around a name, unless that is all there is."""
    text = normalised(text)
    core = _AROUND.sub(" ", text)
    words = _split(core) or _split(text)
    useful = tuple(word for word in words if word not in _STOP_WORDS)
    return Phrase(words=useful or words)


def _split(text: str) -> tuple[str, ...]:
    return tuple(word for word in (joined(part) for part in re.split(r"[\s,，、;；/+&|.。]+", text)) if word)[
        :8
    ]


def _literal(word: str, operands: list[str]) -> str | None:
    """What one word asks for, with its operands added to the list; None where only its sound can be asked for."""
    whole = quoted(f"={word}")
    runs = _WORD.findall(word)
    if len(runs) > 1 and not word.isascii():
        return None
    if not word.isascii():
        ones, pairs = grams(word)
        parts = [quoted(each) for each in (pairs or ones)]
        operands.extend((whole, *parts))
        return _any((whole, _all(parts)))
    found = [
        whole,
        quoted(f"={stem(word)}"),
        quoted(f"~{word}"),
        f"{quoted('~' + word)}:*",
        quoted(f"^{word}"),
    ]
    if len(word) > 1:
        found += [quoted(stem(word)), f"{quoted(stem(word))}:*", f"{quoted('^' + word)}:*"]
    if any(map(str.isdigit, word)):
        found.append(f"{whole}:*")
    operands.extend(found)
    return _any(found)


def _all(parts: Iterable[str]) -> str:
    return " & ".join(f"({part})" for part in parts)


def _any(parts: Iterable[str]) -> str:
    return " | ".join(f"({part})" for part in parts)


# ---- What was meant --------------------------------------------------------------------------------------------------


def nearest_name(phrase: Phrase, names: Sequence[str], *, english: str = "") -> tuple[int, str]:
    """(distance, the name or the end of a name that sounds most like what was typed); 0 as it is, 1 a slip, 9 neither."""
    keys = phrase.slip_keys() or [readings.alike(phrase.key)]
    best = (9, names[0] if names else english)
    for name, key in _endings(tuple(names), english):
        for typed in keys:
            distance = (
                0
                if typed == key or (len(typed) >= 5 and key.startswith(typed))
                else 1
                if readings.is_slip(typed, key)
                else 9
            )
            best = min(best, (distance, name), key=lambda each: each[0])
    return best


@lru_cache(maxsize=4096)
def _endings(names: tuple[str, ...], english: str) -> tuple[tuple[str, str], ...]:
    """(a name from one of its syllables on, or an English name; how that sounds, or one of its words)."""
    found: list[tuple[str, str]] = []
    for name in names:
        for spoken in sounds(name):
            if len(spoken) != len(name):
                found.append((name, readings.alike("".join(spoken))))
                continue
            found += [
                (name[at:], readings.alike("".join(spoken[at:])))
                for at in range(len(name))
                if at == 0 or len(name) - at > 1
            ]
    found += [(english, readings.alike(word)) for word in english_words(english) if english]
    return tuple(found)
