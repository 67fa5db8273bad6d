"""Quantities as people write them, turned into whole base units: grams, or pieces.

Nothing is guessed: what cannot be read is refused with a sentence, and what is only nearly said (约30斤, 半筐) waits for
a person, with a proposal where there is one. `Measure.base_units` is then the proposal.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

GRAM = "g"
PIECE = "piece"

MOST_BASE_UNITS = 1_000_000_000
"""A thousand tonnes: more than any shed here holds, so a slip of the pen or a code in the wrong column."""

GRAMS: dict[str, int] = {
    "g": 1,
    "克": 1,
    "gram": 1,
    "grams": 1,
    "两": 50,
    "斤": 500,
    "市斤": 500,
    "kg": 1000,
    "kgs": 1000,
    "公斤": 1000,
    "千克": 1000,
    "t": 1_000_000,
    "吨": 1_000_000,
}

PIECES = frozenset(
    [
        "piece",
        "pieces",
        "pcs",
        *"个只枚颗粒根棵株条头朵张份件盒瓶桶罐听支包袋块片束把捆扎",
    ],
)
"""Words that count one piece, unless the supply says that one of them is its container."""

CONTAINERS = frozenset(
    [
        "箱",
        "筐",
        "篓",
        "框",
        "板",
        "托",
        "车",
        "网袋",
        "编织袋",
        "蛇皮袋",
        "麻袋",
        "泡沫箱",
        "周转箱",
        "周转筐",
        "背篓",
        "背篼",
        *"盒瓶桶罐听支包袋把捆扎束篮背篼兜盆盘提担挑笼堆",
    ]
)
"""Words that hold more than one piece, or some weight that only the cooperative knows."""

_SOLD_OUT = frozenset(
    [
        "卖完",
        "卖完了",
        "卖光",
        "卖光了",
        "售完",
        "售罄",
        "已售完",
        "已卖完",
        "无",
        "没有",
        "没有了",
        "没了",
        "没货",
        "没货了",
        "没有货",
        "没",
        "没得",
        "没得了",
        "莫得",
        "莫得了",
        "无货",
        "无库存",
        "零库存",
        "暂无",
        "暂无货",
        "暂无库存",
        "暂缺",
        "卖空",
        "卖空了",
        "售空",
        "缺货",
        "断货",
        "脱销",
        "完了",
        "空",
    ]
)
_UNCLEAR_BLANK = frozenset(
    [
        "-",
        "--",
        "---",
        "—",
        "——",
        "/",
        "//",
        "\\",
        "?",
        "??",
        ".",
        "…",
        "×",
        "x",
        "X",
        "√",
        "待定",
        "不详",
        "待盘",
        "未盘",
    ]
)
# Said in words that hold no number at all.
_UNCLEAR_WORDS = frozenset(
    [
        "若干", "少许", "少量", "一些", "一点", "一点点", "不多", "不少", "很多", "大量", "有", "有货", "够", "足够", "充足", "较多", "较少",
        "同上", "同昨", "同昨天", "照旧", "不变", "没变", "未变", "同前",
    ]
)  # fmt: skip
_TWO_DOTS = re.compile(r"(\d+)\s*(?:\.{2,}|\.?。\.?|[·•])\s*(\d+)(.*)")
_NOTED = re.compile(
    r"(?P<rest>[^()\[\]]*\d[^()\[\]]*|[^()\[\]]*[一二两三四五六七八九十百千半][^()\[\]]*)[(\[].*[)\]]?"
)
_ERRORS = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!)", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?E[+-]?\d+", re.IGNORECASE)
_DATE = re.compile(
    r"\d{1,4}\s*[-/年月.]\s*\d{1,2}\s*(?:[-/月.]\s*\d{1,2}\s*)?[日号]|\d{2,4}[-/]\d{1,2}[-/]\d{1,2}"
)
_PLAIN = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SCALED = re.compile(r"(\d+(?:\.\d+)?)\s*([百千万])(?![\d〇○零一二两三四五六七八九十百千万亿半])")
_SIZES = {"百": 100, "千": 1000, "万": 10_000}
# 三四斤 is three or four of them, 十七八斤 seventeen or eighteen, 三五斤 a few: nobody spells 34 so.
_EITHER = re.compile(
    r"(?<![〇○零一二两三四五六七八九])(?P<low>一(?=二)|[二两](?=三)|三(?=[四五])|四(?=五)|五(?=六)|六(?=七)|七(?=八)|八(?=九))"
    r"[二三四五六七八九](?![〇○零一二三四五六七八九])"
)
_TO = re.compile(r"[一二两三四五六七八九十百千半]\s*[-~到至–—]\s*[一二两三四五六七八九十百千]")
_FOOTNOTE = re.compile(r"\d\s*[²³¹⁰⁴-⁹₀-₉①-⒛㉑-㉟㊱-㊿]")
_SEVERAL = re.compile(r"\d\s*、\s*\d")
_SAID_TWICE = re.compile(r"(\w+)\s*[(\[/]\s*(\w+)")
_UNIT_IN_BRACKETS = re.compile(r"([\d.,]+)\s*[(\[]\s*(\w+)\s*[)\]]")
_RANGE = re.compile(r"(?P<low>[\d.]+)\s*[^\d.\s]{0,2}\s*[-~到至–—]\s*(?P<high>[\d.]+)")
_ABOUT = re.compile(
    r"约莫?|大概|大约|差不多|将近|左右|上下|估计?|目测|不到|不足|不超过|超过|以上|以下|以内|至少|最少|最多|出头|开外"
    r"|近(?=[\d一二两三四五六七八九十百千])|上(?=[百千万])|\+(?!\d)|[<>]=?|[≈~≤≥≦≧?]"
)
_MORE = re.compile(r"几|来|数[十百千]|多(?!少)|余|把(?=[斤公个])")
_DIGITS = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "两": 2,
    "○": 0,
}
_FORMAL = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟萬貳參陸兩", "一二三四五六七八九十百千万二三六两")
_STEPS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = "〇○零一二两三四五六七八九十百千万亿点"
_UNIT = r"[^\d.,/\s半〇○零一二三四五六七八九十百千万亿点]"
_PART = re.compile(
    rf"\s*(?P<number>\d[\d,]*(?:\.\d+)?|\.\d+|半|[{_NUMERAL}]+?(?={_UNIT}|半|\s|$))\s*(?P<unit>(?:市斤|{_UNIT}+)?)(?P<half>半?)"
)


# 2筐零5斤, 2筐+5斤: the parts of one amount.
_JOINED = re.compile(rf"(?<={_UNIT})\s*[零又加+,]\s*(?=[\d{_NUMERAL}半])")

MOST_WRITTEN = 100
"""Characters of a quantity, a note beside it included. In more, looking for a range would take minutes."""


class Reading(Enum):
    """What became of a written quantity."""

    READ = "read"
    BLANK = "blank"
    WAITS = "waits"
    REFUSED = "refused"


@dataclass(frozen=True)
class Measure:
    """A quantity as it was understood.

    base_units: whole grams or pieces; the proposal when it waits, None when there is none. unit: the unit that was
    used, as written ("斤"), "" for the base unit. message: what to tell the person who wrote it, "" when it was read.
    """

    reading: Reading
    base_units: int | None = None
    unit: str = ""
    message: str | Promise = ""


class Counting(NamedTuple):
    """How one good is counted: its base unit (g or piece), and its container, with what that holds (None: unknown)."""

    base: str
    container_name: str = ""
    container_units: int | None = None


class Scale(NamedTuple):
    """What a plain number in some unit means for one good: size base units each; is_whole: only whole ones count."""

    size: int
    unit: str
    is_whole: bool


_NOT_EXACT = _("“{value}” is not exact. Count again, and write the number.")
_TWO_AMOUNTS = _(
    "“{value}” holds two amounts. Do they add up, or is one the other's weight? Write one number."
)


class _NoNumber(ValueError):
    pass


class _Unconvertible(ValueError):
    """A unit that this good has no conversion for; message says what is missing."""

    def __init__(self, message: StrOrPromise) -> None:
        super().__init__(message)
        self.message = message


def parse_quantity(value: object, *, unit: str | None, counting: Counting) -> Measure:
    """Read one written quantity.

    value: a number, or text, as it stood in a cell; unit: what its column or field says, "" for the base unit, None
    when nobody said (a weight then waits for a person). Less than a gram is dropped: no shed weighs it, and a shop
    must not sell what is not there. Never raises.
    """
    column_unit = None if unit is None else _unit_name(unit)
    if value is None:
        return Measure(Reading.BLANK)
    if isinstance(value, bool | date | time | timedelta):
        return _refused(_("“{value}” is not a quantity. Write a number."), value)
    if isinstance(value, int | float | Decimal):
        return _measure_number(value, column_unit=column_unit, counting=counting)
    text = str(value).strip()
    if len(text) > MOST_WRITTEN:
        return _refused(_("“{value}” cannot be read. Write a number, such as 128.5."), text)
    return _measure_text(text, column_unit=column_unit, counting=counting)


@lru_cache(maxsize=4096)
def scale_of(unit: str | None, counting: Counting) -> Scale | None:
    """How `parse_quantity` takes a plain number of this unit; None where such a number alone says too little."""
    if unit is None:
        return None if counting.base == GRAM else Scale(1, "", True)
    name = _unit_name(unit)
    try:
        size, is_container = _units_in(name, counting=counting)
    except _Unconvertible:
        return None
    return Scale(size, name, is_container or counting.base == PIECE)


def plain_quantity(value: object, scale: Scale) -> int | None:
    """The base units of a plain number (128.5, "128.5"), as `parse_quantity` would answer them; None for all else.

    Nearly every cell of a large report is one, and is done here in a microsecond.
    """
    number: int | Decimal
    kind = type(value)
    if kind is str:
        text: str = value  # type: ignore[assignment]  # its type was just looked at
        if len(text) > 12 or not text.isascii():
            return None
        if text.isdigit():
            number = int(text)
        else:
            whole, _point, fraction = text.partition(".")
            if not (whole.isdigit() and fraction.isdigit()):
                return None
            number = Decimal(text)
    elif kind is float:
        if not 0 <= value < 1e9:  # type: ignore[operator]  # a float
            return None
        number = Decimal(f"{value:.12g}")
        if number and number.adjusted() < -15:
            return None
    elif kind is int:
        number = value  # type: ignore[assignment]  # an int
        if not 0 <= number < 1_000_000_000:
            return None
    elif kind is Decimal:
        number = value  # type: ignore[assignment]  # a Decimal
        if number.is_signed() or not number.is_finite() or not -12 < number.adjusted() < 12:  # type: ignore[union-attr]  # a Decimal
            return None
    else:
        return None
    size, _unit, is_whole = scale
    if is_whole and number % 1:
        return None
    total = int(number * size)
    return total if total < MOST_BASE_UNITS else None


@lru_cache(maxsize=1024)
def is_unit(text: str) -> bool:
    """Whether this is a unit that quantities are counted in: 斤, kg, 筐, 个."""
    name = _unit_name(text)
    return name in GRAMS or name in PIECES or name in CONTAINERS


@lru_cache(maxsize=1024)
def are_one_unit(one: str, other: str) -> bool:
    """Whether a number means the same in both: 公斤 and kg, 个 and 枚."""
    first, second = _unit_name(one), _unit_name(other)
    if first in GRAMS:
        return GRAMS[first] == GRAMS.get(second)
    return first == second or {first, second} <= PIECES - CONTAINERS


def parse_number(text: str) -> Decimal:
    """An unsigned number in digits (１２０, 1,200, 12.5) or Chinese numerals (一百二 = 120, 一二〇 = 120, 三点五).

    Raises ValueError for anything else.
    """
    text = unicodedata.normalize("NFKC", text).strip().translate(_FORMAL)
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    if _GROUPED.fullmatch(text):
        return Decimal(text.replace(",", ""))
    if text and all(char in _NUMERAL for char in text):
        return _chinese_number(text)
    raise _NoNumber(text)


def _chinese_number(text: str) -> Decimal:
    whole, point, fraction = text.partition("点")
    if point:
        if not fraction or any(char not in _DIGITS for char in fraction):
            raise _NoNumber(text)
        digits = "".join(str(_DIGITS[char]) for char in fraction)
        return Decimal(_chinese_whole(whole)) + Decimal(f"0.{digits}")
    return Decimal(_chinese_whole(whole))


def _chinese_whole(text: str) -> int:
    if not text:
        raise _NoNumber(text)
    if all(char in _DIGITS for char in text):
        if len(text) > 1 and "两" in text:
            raise _NoNumber(text)
        return int("".join(str(_DIGITS[char]) for char in text))
    for step, size in (("亿", 10**8), ("万", 10**4)):
        high, found, low = text.partition(step)
        if found:
            return _chinese_whole(high) * size + _trailing(low, step=size)
    total, digit, smallest = 0, None, 10**9
    for position, char in enumerate(text):
        if char in _STEPS:
            size = _STEPS[char]
            if size >= smallest or (digit is None and position and text[position - 1] not in "零〇"):
                raise _NoNumber(text)
            total += (1 if digit is None else digit) * size
            digit, smallest = None, size
        elif digit is not None and digit != 0:
            raise _NoNumber(text)
        else:
            digit = _DIGITS[char]
    if digit is None:
        return total
    # 一百二 is 120, 一百零二 is 102.
    shortened = digit != 0 and smallest > 10 and text[-2] in _STEPS
    return total + digit * (smallest // 10 if shortened else 1)


def _trailing(text: str, *, step: int) -> int:
    """What stands behind 万 or 亿: 一万二 is 12000, 一万零二 is 10002."""
    if not text:
        return 0
    if len(text) == 1 and text in _DIGITS:
        return _DIGITS[text] * (step // 10)
    return _chinese_whole(text)


def _unit_name(text: str) -> str:
    name = unicodedata.normalize("NFKC", text).strip().strip("()[]/").strip()
    name = name.lower() if name.isascii() else name
    said_twice = _SAID_TWICE.fullmatch(name)
    if said_twice is not None:
        first, second = said_twice[1], said_twice[2].lower()
        if first in GRAMS and GRAMS[first] == GRAMS.get(second):
            return first
    return name


def _refused(message: StrOrPromise, value: object) -> Measure:
    return Measure(Reading.REFUSED, message=format_lazy(message, value=_shown(value)))


def _waits(
    message: StrOrPromise,
    value: object,
    *,
    base_units: int | None = None,
    unit: str = "",
) -> Measure:
    return Measure(
        Reading.WAITS,
        base_units=base_units,
        unit=unit,
        message=format_lazy(message, value=_shown(value)),
    )


def _shown(value: object) -> str:
    text = f"{value:.12g}" if isinstance(value, float) else str(value).strip()
    return text if len(text) <= 40 else f"{text[:39]}…"


def _measure_number(value: float | Decimal, *, column_unit: str | None, counting: Counting) -> Measure:
    # Twelve digits: a workbook's 12.3 may arrive as 12.299999999999999.
    number = Decimal(f"{value:.12g}") if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or (number and number.adjusted() < -15):
        return _refused(_("“{value}” is not a quantity. Write a number."), value)
    if number.is_signed() and number:
        return _refused(
            _("“{value}” is less than nothing. Write what is there, 0 if it is sold out."),
            value,
        )
    if number.adjusted() > 15:
        return _refused(_("“{value}” is more than any shed holds. Look at the number again."), value)
    return _measure_parts([(number, "")], written=value, column_unit=column_unit, counting=counting)


def _measure_text(text: str, *, column_unit: str | None, counting: Counting) -> Measure:
    written = text
    if not text.isprintable():
        # Marks of direction and zero-width spaces, which a cell copied from a chat carries.
        text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    footnote = _FOOTNOTE.search(text)
    if footnote is not None:
        # Made plain, 30² would be 302.
        return _nearly(
            text[: footnote.start() + 1],
            message=_("“{value}” carries a note. Is the number {number}?"),
            written=written,
            column_unit=column_unit,
            counting=counting,
        )
    text = unicodedata.normalize("NFKC", text).strip().translate(_FORMAL)
    text = text.replace("−", "-").replace("﹣", "-").replace("千克", "公斤")
    if not text:
        return Measure(Reading.BLANK)
    text = text.rstrip("。;!") or text
    if text in _SOLD_OUT:
        return Measure(Reading.READ, base_units=0)
    if _SEVERAL.search(text):
        return _waits(_TWO_AMOUNTS, written)
    text = text.replace("、", ",")
    if text in _UNCLEAR_BLANK:
        return _waits(
            _("“{value}”: is it sold out, or was it not counted? Write 0, or leave it empty."),
            written,
        )
    if _ERRORS.search(text):
        return _refused(
            _("“{value}” is an error of the workbook, not a number. Mend the cell."),
            written,
        )
    if _SCIENTIFIC.fullmatch(text):
        return _refused(_("“{value}” was shortened by the workbook. Write out the number."), written)
    if re.match(r"(?:-|负)\s*[\d.一二两三四五六七八九十百]", text):
        return _refused(
            _("“{value}” is less than nothing. Write what is there, 0 if it is sold out."),
            written,
        )
    if text in _UNCLEAR_WORDS:
        return _waits(_("“{value}” is no number. Count again, and write how much there is."), written)
    if _DATE.fullmatch(text):
        return _refused(_("“{value}” looks like a date. Write a number."), written)
    if len(text) <= 60:
        slip = _TWO_DOTS.fullmatch(text)
        if slip is not None:
            return _nearly(
                f"{slip[1]}.{slip[2]}{slip[3]}",
                message=_("“{value}” has two dots, or one of another kind. Is {number} meant?"),
                written=written,
                column_unit=column_unit,
                counting=counting,
            )
        in_brackets = _UNIT_IN_BRACKETS.fullmatch(text)
        if in_brackets is not None and _known(_unit_name(in_brackets[2]), counting):
            text = in_brackets[1] + in_brackets[2]
        if re.split(r"[(\[]", text, maxsplit=1)[0].strip() in _SOLD_OUT:
            return _nearly(
                "0",
                message=_("“{value}” carries a note. Is the number {number}?"),
                written=written,
                column_unit=column_unit,
                counting=counting,
            )
        noted = _NOTED.fullmatch(text)
        if noted is not None and noted["rest"].strip():
            return _nearly(
                noted["rest"].strip(),
                message=_("“{value}” carries a note. Is the number {number}?"),
                written=written,
                column_unit=column_unit,
                counting=counting,
            )
    between = _RANGE.search(text)
    if between:
        return _vague(
            between["low"],
            text=text,
            written=written,
            column_unit=column_unit,
            counting=counting,
        )
    if _TO.search(text):
        return _waits(_NOT_EXACT, written)
    if _ABOUT.search(text):
        rest = _EITHER.sub(r"\g<low>", _ABOUT.sub("", text).replace("有", ""))
        return _vague(rest, text=text, written=written, column_unit=column_unit, counting=counting)
    if _MORE.search(text):
        rest = re.sub(r"几|来|多|余|把(?=[斤公个])", "", text)
        return _vague(rest, text=text, written=written, column_unit=column_unit, counting=counting)
    if text == "半" or _EITHER.search(text):
        rest = _EITHER.sub(r"\g<low>", text)
        return _vague(rest, text=text, written=written, column_unit=column_unit, counting=counting)
    try:
        # A cell that holds a page of digits is refused before arithmetic meets it.
        parts = _split(text if len(text) <= 60 else "")
    except ValueError:
        return _refused(_("“{value}” cannot be read. Write a number, such as 128.5."), written)
    return _measure_parts(parts, written=written, column_unit=column_unit, counting=counting)


def _nearly(
    meant: str, *, message: StrOrPromise, written: str, column_unit: str | None, counting: Counting
) -> Measure:
    """A number that was written with a slip, or with a note: it waits, with the number as the proposal."""
    found = _measure_text(meant, column_unit=column_unit, counting=counting)
    if found.base_units is not None:
        return Measure(
            Reading.WAITS,
            base_units=found.base_units,
            unit=found.unit,
            message=format_lazy(message, value=_shown(written), number=_shown(meant)),
        )
    if found.reading is Reading.WAITS:
        return found
    return _refused(_("“{value}” cannot be read. Write a number, such as 128.5."), written)


def _vague(rest: str, *, text: str, written: str, column_unit: str | None, counting: Counting) -> Measure:
    """Something like a number: it waits, with the number in it as the proposal."""
    proposal = Measure(Reading.WAITS)
    try:
        parts = _split(rest.strip())
        if all(not unit for _, unit in parts):
            # 30-40斤: the unit stands behind the higher number.
            tail = re.search(rf"({_UNIT}+)$", text)
            if tail and _known(tail[1], counting):
                parts = [(number, tail[1]) for number, _ in parts]
        proposal = _measure_parts(parts, written=written, column_unit=column_unit, counting=counting)
    except ValueError:
        pass
    if proposal.reading is Reading.READ:
        return _waits(_NOT_EXACT, written, base_units=proposal.base_units, unit=proposal.unit)
    return _waits(_NOT_EXACT, written)


def _split(text: str) -> list[tuple[Decimal, str]]:
    """3斤5两 -> [(3, 斤), (5, 两)]; 三斤半 -> [(3.5, 斤)]. Raises ValueError when it is anything else."""
    # 两 is a number before a unit (两斤) and a unit after a number (五两).
    if _PLAIN.fullmatch(text) or _GROUPED.fullmatch(text):
        return [(parse_number(text), "")]
    if all(char in _NUMERAL for char in text) and not (len(text) > 1 and text.endswith("两")):
        return [(parse_number(text), "")]
    text = _JOINED.sub("", text)
    scaled = _SCALED.sub(lambda found: f"{Decimal(found[1]) * _SIZES[found[2]]:f}", text)
    if scaled != text:
        return _split(scaled)
    text = re.sub(
        r"(?<=[\d一二三四五六七八九十半])两(?![\d一二三四五六七八九十百千万斤公千])",
        "liang",
        text,
    )
    parts: list[tuple[Decimal, str]] = []
    position = 0
    while position < len(text):
        found = _PART.match(text, position)
        if found is None or found.end() == position:
            raise _NoNumber(text)
        number = Decimal("0.5") if found["number"] == "半" else parse_number(found["number"])
        if found["half"]:
            if not found["unit"]:
                raise _NoNumber(text)
            number += Decimal("0.5")
        unit = _unit_name(found["unit"])
        parts.append((number, "两" if unit == "liang" else unit))
        position = found.end()
    if not parts or (len(parts) > 1 and any(not unit for _, unit in parts)):
        raise _NoNumber(text)
    return parts


def _known(unit: str, counting: Counting) -> bool:
    return unit in GRAMS or unit in PIECES or unit in CONTAINERS or unit == counting.container_name


def _measure_parts(
    parts: list[tuple[Decimal, str]],
    *,
    written: object,
    column_unit: str | None,
    counting: Counting,
) -> Measure:
    total = Decimal(0)
    used = ""
    own_unit = ""
    size_before = 0
    for number, unit in parts:
        own_unit = unit or own_unit
        if not unit and column_unit is None and counting.base == GRAM and number:
            return _waits(_("“{value}” has no unit. Is it 斤, or 公斤?"), written)
        used = unit or column_unit or ""
        if unit and not _known(unit, counting):
            return _refused(_("“{value}” cannot be read. Write a number, such as 128.5."), written)
        try:
            size, is_loose = _units_in(used, counting=counting)
        except _Unconvertible as error:
            if not number:
                size, is_loose = 0, False
            else:
                return _waits(error.message, written, unit=used)
        if size_before and number * size >= size_before:
            # 2筐5斤 is one amount; of 2筐60斤, the second may be what the two baskets weigh.
            return _waits(_TWO_AMOUNTS, written)
        size_before = size
        total += number * size
        if is_loose and number % 1:
            return _waits(
                _("“{value}” is not a whole number of containers. Weigh the open one, and write the weight."),
                written,
                base_units=int(total),
                unit=used,
            )
    if total > MOST_BASE_UNITS:
        return _refused(
            _("“{value}” is more than any shed holds. Look at the number again."),
            written,
        )
    if counting.base == PIECE and total % 1:
        return _refused(
            _("“{value}” is not a whole number, and this good is counted in pieces."),
            written,
        )
    base_units = int(total)
    if base_units and own_unit and column_unit and _differ(own_unit, column_unit):
        return Measure(
            Reading.WAITS,
            base_units=base_units,
            unit=used,
            message=format_lazy(
                _("“{value}” stands in a column of {unit}. Which unit is right?"),
                value=_shown(written),
                unit=column_unit,
            ),
        )
    return Measure(Reading.READ, base_units=base_units, unit=used)


def _differ(own: str, column: str) -> bool:
    """Whether the cell and its column name two weights: 3斤5两 under 斤 is a way of writing, 128公斤 is a slip."""
    return own in GRAMS and column in GRAMS and GRAMS[own] != GRAMS[column] and own != "两"


def _units_in(unit: str, *, counting: Counting) -> tuple[int, bool]:
    """Base units in one of `unit`, and whether that is a container, of which only whole ones can be counted."""
    if unit and unit == counting.container_name:
        if counting.container_units is None:
            raise _Unconvertible(
                format_lazy(
                    _("“{{value}}”: how much is in one {unit}? Tell the shop once."),
                    unit=unit,
                )
            )
        return counting.container_units, True
    if counting.base == GRAM:
        if not unit:
            return 1, False
        if unit in GRAMS:
            return GRAMS[unit], False
        raise _Unconvertible(
            format_lazy(
                _("“{{value}}”: how much does one {unit} weigh? Write the weight."),
                unit=unit,
            )
        )
    if not unit or unit in PIECES:
        return 1, False
    if unit in GRAMS:
        raise _Unconvertible(_("“{value}” is a weight, and this good is counted in pieces. Write how many."))
    raise _Unconvertible(
        format_lazy(
            _("“{{value}}”: how many pieces are in one {unit}? Tell the shop once."),
            unit=unit,
        )
    )
