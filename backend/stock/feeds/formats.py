"""What a cell shows beside its number: 30 in the format 0"公斤" reads as 30公斤, and 0.5 in 0% as 50%."""

from __future__ import annotations

import re
from functools import lru_cache

from backend.common.units import is_unit

PERCENT = "%"

_NUMBER = re.compile(r"(?:General|G/通用格式|[#0?]+(?:[.,][#0?]+)*)(?P<behind>[^#0?]*)$")


@lru_cache(maxsize=1024)
def unit_of_format(code: str) -> str:
    """% or the unit that a number format puts behind its numbers; "" when it puts neither there."""
    if PERCENT in code:
        return PERCENT
    # What follows the first semicolon is for other numbers; colours and conditions stand in brackets; _ and * leave room.
    code = re.sub(r"\[[^\]]*\]|[_*].", "", code.split(";")[0])
    found = _NUMBER.search(re.sub(r'["\\]', "", code).strip())
    if found is None:
        return ""
    behind = found["behind"].strip()
    return behind if behind and is_unit(behind) else ""


def as_shown(number: float, unit: str) -> str:
    """The number with what its format puts behind it."""
    return f"{float(number) * 100:.12g}%" if unit == PERCENT else f"{number:.12g}{unit}"
