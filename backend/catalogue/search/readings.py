"""How Chinese is read aloud, in Latin letters without tones: 莴笋 -> wo sun.

Names carry their own pinyin where somebody wrote it down; everything else is read character by character, with the
readings that kitchens and this town use.
"""

from __future__ import annotations

import os
import re
import unicodedata
from functools import cache, lru_cache

# Longest first. What the dictionary's first reading has otherwise: 茄 jiā, 仔 zǎi, 曾 céng, 长 zhǎng.
_SPOKEN = {
    "曾家": ("zeng", "jia"),
    "仔姜": ("zi", "jiang"),
    "仔鸡": ("zi", "ji"),
    "长豇": ("chang", "jiang"),
    "长豆": ("chang", "dou"),
    "长茄": ("chang", "qie"),
    "重庆": ("chong", "qing"),
    "薄荷": ("bo", "he"),
    "乐山": ("le", "shan"),
    "调料": ("tiao", "liao"),
    "干煸": ("gan", "bian"),
    "茄": ("qie",),
    "葚": ("shen",),
    "薹": ("tai",),
}
_LONGEST = max(map(len, _SPOKEN))

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]")


def is_han(character: str) -> bool:
    """Whether it is a Chinese character."""
    return bool(_HAN.match(character))


def plain(pinyin: str) -> str:
    """Pinyin as it is typed: "zhé'ěrgēn" -> "zheergen"; ü becomes v."""
    letters = unicodedata.normalize("NFD", unicodedata.normalize("NFC", pinyin.lower()).replace("ü", "v"))
    # ǚ and its like decompose to u, diaeresis, tone.
    return re.sub(r"[^a-z]", "", letters.replace("u\u0308", "v"))


@cache
def _dictionary() -> dict[int, str]:
    # The phrases would cost every web process 40 MB, and this shop's own are above.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    from pypinyin.pinyin_dict import pinyin_dict

    readings: dict[int, str] = pinyin_dict
    return readings


@lru_cache(maxsize=4096)
def readings_of(character: str) -> tuple[str, ...]:
    """Every reading of one character, the usual one first; nothing for what is no Chinese character."""
    spoken = _SPOKEN.get(character, ())
    known = _dictionary().get(ord(character), "")
    return tuple(dict.fromkeys((*spoken, *(plain(each) for each in known.split(",") if each))))


def syllables(text: str) -> tuple[str, ...]:
    """The usual reading of each character; letters stay as they are, one "syllable" a run of them."""
    read: list[str] = []
    at = 0
    while at < len(text):
        for length in range(_LONGEST, 0, -1):
            spoken = _SPOKEN.get(text[at : at + length])
            if spoken:
                read.extend(spoken)
                at += length
                break
        else:
            read.extend(readings_of(text[at])[:1])
            at += 1
    return tuple(read)


def syllables_as_written(name: str, pinyin: str) -> tuple[str, ...]:
    """A name's syllables after the pinyin that somebody wrote beside it; () where the two do not fit."""
    characters = [each for each in name if is_han(each)]

    def fit(index: int, rest: str) -> tuple[str, ...] | None:
        if index == len(characters):
            return None if rest else ()
        for reading in readings_of(characters[index]):
            if rest.startswith(reading):
                tail = fit(index + 1, rest[len(reading) :])
                if tail is not None:
                    return (reading, *tail)
        return None

    return fit(0, plain(pinyin)) or ()


_ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ing", "in"), ("eng", "en"), ("v", "u"), ("l", "n"))
_HU = re.compile("hu(?![aeio])")


@lru_cache(maxsize=8192)
def alike(letters: str) -> str:
    """What is easily taken for one another, written alike: zh and z, ch and c, sh and s, ing and in, l and n."""
    for heard, written in _ALIKE:
        letters = letters.replace(heard, written)
    return letters


def by_ear(letters: str) -> str:
    """The same, and hu and fu, which Sichuan does not tell apart."""
    return _HU.sub("fu", alike(letters))


def is_slip(one: str, other: str) -> bool:
    """Whether one letter too many, too few, another one or two that changed places make one into the other."""
    if one == other:
        return True
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    at = next((index for index, letter in enumerate(one) if letter != other[index]), len(one))
    if len(one) != len(other):
        return one[at:] == other[at + 1 :]
    swapped = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return swapped or one[at + 1 :] == other[at + 1 :]


@lru_cache(maxsize=8192)
def with_one_left_out(letters: str) -> frozenset[str]:
    """The word, and the word without each of its letters: two words a slip apart share one of these."""
    return frozenset((letters, *(letters[:at] + letters[at + 1 :] for at in range(len(letters)))))
