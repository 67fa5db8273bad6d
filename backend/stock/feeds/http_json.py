"""Reads the JSON in which a cooperative's own system says its counts, and in which the desk's and the API's are kept.

{"counted_at": "2026-11-23T06:10:00+08:00", "basis": "shelf", "sequence": 412, "complete": false,
 "items": [{"code": "XY-0007", "name": "莴笋", "quantity": 128.5, "unit": "斤", "lot": "1123-A"}, …]}

Only items is needed; unit is the base unit (g or piece) where it is absent; quantity may be a number or text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

import msgspec
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.clock import SHOP_ZONE
from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.document import Document, Row, as_text
from backend.stock.feeds.encoded import Encoded
from backend.stock.words import Basis

COLUMN = "quantity"
MOST_ROWS = 100_000
MOST_VALUES = 1_500_000
MOST_SEQUENCE = 2**63 - 1
MOST_DIGITS = 4300
"""Of a whole number: more are never made one, by Python's own reckoning."""

_NOT_JSON = _("The document is not JSON, or was cut off.")
_NO_ITEM = _("This is not an item with a code.")
_NO_QUANTITY = _("The quantity is neither a number nor text.")


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent of twenty digits: no quantity, but text as any other.
        return text


class _Said(msgspec.Struct, gc=False):
    """The document, each value as its bytes until somebody asks for it: these are not copied."""

    items: list[msgspec.Raw]
    counted_at: msgspec.Raw = msgspec.Raw(b"null")
    basis: msgspec.Raw = msgspec.Raw(b"null")
    sequence: msgspec.Raw = msgspec.Raw(b"null")
    complete: msgspec.Raw = msgspec.Raw(b"null")


class _Item(msgspec.Struct, gc=False):
    code: object = None
    name: object = ""
    quantity: object = None
    unit: object = ""
    lot: object = ""


_document = msgspec.json.Decoder(_Said)
_anything = msgspec.json.Decoder(float_hook=_number)


def read_json(raw: bytes) -> Document:
    """Raises FeedUnreadable when it is not such a document; a row that is not one is refused, not the document."""
    # An item of ten megabytes of brackets would become a gigabyte of empty lists; and behind each comma, an item may be.
    if raw.count(b"[") + raw.count(b"{") > 2 * MOST_ROWS or raw.count(b",") > MOST_VALUES:
        raise FeedUnreadable(_("The document has too many items."))
    if not Encoded(raw).is_whole():
        raise FeedUnreadable(_("The document is not UTF-8."))
    content = memoryview(raw)[len(codecs.BOM_UTF8) :] if raw.startswith(codecs.BOM_UTF8) else raw
    try:
        said = _split(content)
    except msgspec.ValidationError as error:
        raise FeedUnreadable(_("The document has no list of items.")) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise FeedUnreadable(_NOT_JSON) from error
    if len(said.items) > MOST_ROWS:
        raise FeedUnreadable(_("The document has too many items."))
    # A number of that many digits is no JSON to most readers: the document is refused as any that is none.
    if not all(_can_be_decoded(item) for item in said.items if len(item) > MOST_DIGITS):
        raise FeedUnreadable(_NOT_JSON)
    return Document(
        rows=_Items(said.items),
        counted_at=_moment(_value(said.counted_at)),
        basis=_basis(_value(said.basis)),
        sequence=_sequence(_value(said.sequence)),
        is_complete=_flag(_value(said.complete)),
    )


def _split(content: bytes | memoryview) -> _Said:
    """The document with its items, which were not looked into. Raises msgspec.DecodeError, RecursionError."""
    try:
        return _document.decode(content)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        raw = bytes(content)
        if sum(raw.count(sign) for sign in _LOOSE) > 2 * MOST_ROWS:
            raise
        return _document.decode(_mended(raw))


def _can_be_decoded(item: msgspec.Raw) -> bool:
    try:
        _anything.decode(item)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


_LOOSE = (b"\\ud", b"\\uD", b"NaN", b"Infinity")
_HALF = re.compile(
    rb"((?:[^\\]++|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\(?!u[dD][89a-fA-F]).)++)"
    rb"|\\u[dD][89a-fA-F][\da-fA-F]{2}",
    re.DOTALL,
)
_NO_NUMBER = re.compile(
    rb'((?:[^"NI-]++|"(?:[^"\\]++|\\.)*+"?|-(?!Infinity)|I(?!nfinity)|N(?!aN))++)|(-?Infinity|NaN)', re.DOTALL
)


def _mended(raw: bytes) -> bytes:
    """Strict JSON of what programs write besides: NaN and Infinity, as text, and halves of surrogate pairs, as ?."""
    raw = _HALF.sub(lambda found: found[1] or b"?", raw)
    return _NO_NUMBER.sub(lambda found: found[1] or b'"%b"' % found[2], raw)


class _Items:
    """The items as rows, made anew each time."""

    def __init__(self, items: list[msgspec.Raw]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Row]:
        make = tuple.__new__
        # A shed's figures repeat: 128.5 is made once, and kept once, until all is read.
        decode = msgspec.json.Decoder(_Item, float_hook=lru_cache(maxsize=4096)(_number)).decode
        for number, raw in enumerate(self._items, start=1):
            try:
                item = decode(raw)
            except (msgspec.DecodeError, RecursionError):
                yield Row(number=number, column="", code="", value=_shown(_value(raw)), problem=_NO_ITEM)
                continue
            code, name, value, unit, lot = item.code, item.name, item.quantity, item.unit, item.lot
            # Text that is as it should be, which nearly all is, costs no call.
            code = code.strip() if type(code) is str and code.isprintable() else _shown(code)
            name = name if name == "" else _shown(name)
            problem: str | Promise = "" if code or name else _NO_ITEM
            kind = type(value)
            if kind is not Decimal and kind is not int and value is not None:
                if kind is dict or kind is list:
                    problem = _NO_QUANTITY
                value = value if kind is bool else _shown(value)
            yield make(
                Row,
                (
                    number,
                    COLUMN,
                    code,
                    value,
                    name,
                    unit.strip() if type(unit) is str and unit.isprintable() else _shown(unit),
                    lot if lot == "" else _shown(lot),
                    problem,
                    False,
                    "",
                    "",
                    "",
                    "",
                ),
            )


def _value(raw: msgspec.Raw) -> object:
    """What the bytes say; their beginning, as text, where that is nothing that Python can hold."""
    try:
        return _anything.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return bytes(raw)[:60].decode("utf-8", "replace")


def _shown(value: object) -> str:
    try:
        return as_text(value)
    except RecursionError:
        # Lists in lists in lists.
        return "[…]"


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
