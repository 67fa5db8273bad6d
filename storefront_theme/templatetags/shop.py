"""How figures are written: money, weights, months, and when something was counted."""

from __future__ import annotations

import json
import re
import unicodedata
import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

register = template.Library()

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")

_SENTENCES = re.compile(r".+?(?:[。！？]|[.!?](?=\s)|$)\s*", re.DOTALL)

# 24 x 24, stroked with the text's colour by .icon.
_ICONS = {
    "home": "M4 11.5 12 5l8 6.5M6.5 10v9h11v-9M10 19v-5h4v5",
    "grid": "M5 5h5.5v5.5H5zM13.5 5H19v5.5h-5.5zM5 13.5h5.5V19H5zM13.5 13.5H19V19h-5.5z",
    "basket": "M4 11h16l-1.6 8.2H5.6zM7.5 11c0-8 9-8 9 0M9.5 14v3M12 14v3M14.5 14v3",
    "person": "M12 12a3.6 3.6 0 1 0 0-7.2 3.6 3.6 0 0 0 0 7.2zM5 20c.6-8 13.400-8 14 0",
    "search": "M10.500 16.500a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM15 15l5 5",
    "plus": "M12 6v12M6 12h12",
    "minus": "M6 12h12",
    "check": "M5 12.500l4.500 4.500L19 7.500",
    "leaf": "M5 19c0-9 5-14 14-14 0 9-5 14-14 14zm0 0 7-7",
    "clock": "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4.500l3 2",
    "paper": "M7 4h7l4 4v12H7zM13.500 4v4.500H18M9.500 12.500h5M9.500 16h5",
    "arrow": "M5 12h14M13 6l6 6-6 6",
}


@register.simple_tag
def space() -> str:
    """Between two sentences. Chinese has none: the full stop brings its own."""
    return "" if (get_language() or "").startswith("zh") else " "


@register.filter
def unbroken(text: str) -> str:
    """A text in which no line ends within 9:00–12:00: a word joiner follows each dash before a digit."""
    return re.sub(r"–(?=\d)", "–\N{WORD JOINER}", text)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A small line drawing, for eyes only: the words stand beside it."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>',
        _ICONS[name],
    )


@register.simple_tag
def village_picture(name: str) -> str:
    """Address of a village's drawing; the town's landscape for one that nobody has drawn yet."""
    path = f"pictures/villages/{name}"
    return static(path if name and finders.find(path) else "pictures/brand/hero-winter.svg")


def _amount(value: Mapping[str, Any] | Decimal | float | None) -> Decimal | None:
    if value is None or value == "":
        return None
    if isinstance(value, Mapping):
        value = value["amount"]
    return Decimal(str(value)).quantize(Decimal("0.01"))


@register.filter
def money(value: Mapping[str, Any] | Decimal | float | None) -> str:
    """¥12.80, of GraphQL's Money or of yuan."""
    amount = _amount(value)
    return "" if amount is None else f"¥{amount:,.2f}"


@register.filter
def price(value: Mapping[str, Any] | Decimal | float | None) -> SafeString:
    """¥12.80 with the fen set small."""
    amount = _amount(value)
    if amount is None:
        return mark_safe("")
    yuan, fen = f"{amount:,.2f}".split(".")
    return format_html('<span class="price"><small>¥</small>{}<small>.{}</small></span>', yuan, fen)


@register.filter
def weight(grams: int | None) -> str:
    """500 g, 2.5 kg."""
    if not grams:
        return ""
    if grams < 1000:
        return f"{grams} g"
    return f"{Decimal(grams) / 1000:.3f}".rstrip("0").rstrip(".") + " kg"


@register.filter
def amount(number: int, unit: str) -> str:
    """500 g, 2.5 kg, 3 pieces; unit: "g" or "piece"."""
    return weight(number) if unit == "g" else _("%(number)s pcs") % {"number": number}


def window_text(*, day: str, starts: str, ends: str) -> str:
    """Tuesday, 24 November, 9:00-12:00, of the dates and times of day that the API writes."""
    parsed = parse_date(day)
    if parsed is None:
        return ""
    begins, until = (f"{int(each[:2])}:{each[3:5]}" for each in (starts, ends))
    return _("%(weekday)s, %(day)s, %(from)s–%(until)s") % {
        "weekday": date_format(parsed, "l"),
        "day": _("%(day)s %(month)s") % {"day": parsed.day, "month": month_name(parsed.month)},
        "from": begins,
        "until": until,
    }


def as_datetime(value: str | datetime | None) -> datetime | None:
    """A time as the API writes it, in Shanghai; None for nothing."""
    if isinstance(value, str):
        value = parse_datetime(value)
    return value.astimezone(SHANGHAI) if value else None


@register.filter
def moment(value: str | datetime | None) -> str:
    """6:10 this morning, 14:20 today, 16:05 yesterday, 20 November 16:05."""
    when = as_datetime(value)
    if when is None:
        return ""
    clock = f"{when.hour}:{when.minute:02d}"
    days = (timezone.now().astimezone(SHANGHAI).date() - when.date()).days
    if days == 0:
        said = _("this morning, %(time)s") if 5 <= when.hour < 11 else _("today, %(time)s")
        return said % {"time": clock}
    if days == 1:
        return _("yesterday, %(time)s") % {"time": clock}
    return f"{day(when)} {clock}"


@register.filter
def counted(value: str | datetime | None) -> str:
    """“Counted this morning, 6:10”; nothing when it never was."""
    when = moment(value)
    return _("Counted %(when)s") % {"when": when} if when else ""


@register.filter
def day(value: str | date | datetime | None) -> str:
    """11月20日, 20 November; with the year when it is another."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is None:
        return ""
    if isinstance(value, datetime) and value.tzinfo:
        value = value.astimezone(SHANGHAI)
    fields = {"month": month_name(value.month), "day": value.day, "year": value.year}
    if value.year == timezone.now().astimezone(SHANGHAI).year:
        return _("%(day)s %(month)s") % fields
    return _("%(day)s %(month)s %(year)s") % fields


@register.filter
def month_name(number: int) -> str:
    """November; 11月."""
    return [
        pgettext("month", "January"),
        pgettext("month", "February"),
        pgettext("month", "March"),
        pgettext("month", "April"),
        pgettext("month", "May"),
        pgettext("month", "June"),
        pgettext("month", "July"),
        pgettext("month", "August"),
        pgettext("month", "September"),
        pgettext("month", "October"),
        pgettext("month", "November"),
        pgettext("month", "December"),
    ][number - 1]


@register.filter
def months(numbers: Iterable[int] | None) -> str:
    """11–3月 of {11, 12, 1, 2, 3}; 4–6月、9–11月; all year for none or twelve. Seasons wrap over the year's end."""
    inside = set(numbers or ())
    if len(inside) in {0, 12}:
        return _("all year")
    spans = []
    for first in sorted(inside):
        if (first - 2) % 12 + 1 in inside:
            continue
        last = first
        while last % 12 + 1 in inside:
            last = last % 12 + 1
        spans.append((first, last))
    written = [
        month_name(first)
        if first == last
        # 月 once, at the end: 11–3月.
        else f"{month_name(first).removesuffix('月')}–{month_name(last)}"
        for first, last in spans
    ]
    return _(", ").join(written)


@register.filter
def opening(text: str, length: int) -> str:
    """The whole sentences with which a text begins, at least one. length: Chinese characters; others are half as wide."""
    kept, room = "", 2 * length
    for sentence in _SENTENCES.findall(text):
        room -= sum(2 if unicodedata.east_asian_width(each) in "FW" else 1 for each in sentence)
        if kept and room < 0:
            break
        kept += sentence
    return kept.strip()


@register.filter
def unlocalized(value: Decimal | float) -> str:
    """A figure for scripts: 12.80."""
    return f"{Decimal(str(value)):.2f}"


@register.filter
def in_language(address: str, language: str) -> str:
    """The address of a page in a language: Chinese needs no word, English says so."""
    if language != "en":
        return address
    return f"{address}{'&' if '?' in address else '?'}lang=en"


@register.filter
def json_data(value: Mapping[str, Any] | list[Any]) -> SafeString:
    """schema.org data for search engines. A data block: no script of it ever runs."""
    # Whatever could end the element is written as an escape.
    text = json.dumps(value, ensure_ascii=False).translate(
        {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}
    )
    # json_script() writes application/json only.
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308  (escaped just above)
