"""Reads the JSON in which a cooperative's own system says its counts, and in which the desk's and the API's are kept.

{"counted_at": "2026-11-23T06:10:00+08:00", "basis": "shelf", "sequence": 412, "complete": false,
 "items": [{"code": "XY-0007", "name": "莴笋", "quantity": 128.5, "unit": "斤", "lot": "1123-A"}, …]}

Only items is needed; unit is the base unit (g or piece) where it is absent; quantity may be a number or text.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.clock import SHOP_ZONE
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.document import Document, Row, as_text
from backend.stock.words import Basis

COLUMN = "quantity"
MOST_ROWS = 100_000
MOST_VALUES = 1_500_000
MOST_SEQUENCE = 2**63 - 1

# A shed's figures repeat: 128.5 is made once, and kept once.
_number = lru_cache(maxsize=4096)(Decimal)


def read_json(raw: bytes) -> Document:
    """Raises FeedUnreadable when it is not such a document; a row that is not one is refused, not the document."""
    # Ten megabytes of brackets would become a gigabyte of empty lists.
    if raw.count(b"[") + raw.count(b"{") > 2 * MOST_ROWS or raw.count(b",") > MOST_VALUES:
        raise FeedUnreadable(_("The document has too many items."))
    try:
        said = json.loads(raw.decode("utf-8-sig"), parse_float=_number)
    except UnicodeDecodeError as error:
        raise FeedUnreadable(_("The document is not UTF-8.")) from error
    except (ValueError, RecursionError) as error:
        raise FeedUnreadable(_("The document is not JSON, or was cut off.")) from error
    if not isinstance(said, dict) or not isinstance(said.get("items"), list):
        raise FeedUnreadable(_("The document has no list of items."))
    items = said["items"]
    if len(items) > MOST_ROWS:
        raise FeedUnreadable(_("The document has too many items."))
    return Document(
        rows=_as_rows(items),
        counted_at=_moment(said.get("counted_at")),
        basis=_basis(said.get("basis")),
        sequence=_sequence(said.get("sequence")),
        is_complete=_flag(said.get("complete")),
    )


def _as_rows(items: list[Any]) -> list[Row]:
    """The items, each turned into its row where it stands: there are never a hundred thousand of both."""
    make, problem_of_value = tuple.__new__, _("The quantity is neither a number nor text.")
    units: dict[str, str] = {}
    for number, item in enumerate(items, start=1):
        if type(item) is not dict:
            problem = _("This is not an item with a code.")
            items[number - 1] = Row(number=number, column="", code="", value=as_text(item), problem=problem)
            continue
        said = item.get
        code, name, value, unit, lot = (
            said("code"),
            said("name", ""),
            said("quantity"),
            said("unit", ""),
            said("lot", ""),
        )
        kind = type(value)
        # Text that is as it should be, which nearly all is, costs no call.
        unit = unit.strip() if type(unit) is str and unit.isprintable() else as_text(unit)
        items[number - 1] = make(
            Row,
            (
                number,
                COLUMN,
                code.strip() if type(code) is str and code.isprintable() else as_text(code),
                as_text(value) if kind is str or kind is dict or kind is list else value,
                name.strip() if type(name) is str and name.isprintable() else as_text(name),
                units.setdefault(unit, unit),
                lot.strip() if type(lot) is str and lot.isprintable() else as_text(lot),
                problem_of_value if kind is dict or kind is list else "",
                False,
                "",
                "",
                "",
                "",
            ),
        )
    return items


def _moment(said: object) -> datetime | None:
    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
        # A system that says no zone means its own wall clock.
        if moment is not None:
            return moment.replace(tzinfo=SHOP_ZONE) if moment.tzinfo is None else moment.astimezone(SHOP_ZONE)
    except (ValueError, OverflowError):
        pass
    raise FeedUnreadable(
        format_lazy(
            _("counted_at is “{value}”: write it as 2026-11-23T06:10:00+08:00."), value=as_text(said)[:60]
        )
    )


def _basis(said: object) -> Basis | None:
    if said is None:
        return None
    if isinstance(said, str) and said in Basis.values:
        return Basis(said)
    raise FeedUnreadable(
        format_lazy(_("basis is “{value}”: it is either shelf or sellable."), value=as_text(said)[:60])
    )


def _sequence(said: object) -> int | None:
    if said is None:
        return None
    if isinstance(said, int) and not isinstance(said, bool) and 0 <= said <= MOST_SEQUENCE:
        return said
    raise FeedUnreadable(
        format_lazy(_("sequence is “{value}”: it is a whole number."), value=as_text(said)[:60])
    )


def _flag(said: object) -> bool | None:
    if said is None or isinstance(said, bool):
        return said
    raise FeedUnreadable(
        format_lazy(_("complete is “{value}”: it is either true or false."), value=as_text(said)[:60])
    )
