"""A cooperative's own system says its counts in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds import read_document
from backend.stock.feeds.document import as_text
from backend.stock.words import Basis
from tests.backend.stock.feeds.reading import first
from tests.backend.stock.shed import MORNING, as_json


def read(raw: bytes):  # type: ignore[no-untyped-def]  # the reader's own Document
    return read_document(format="json", raw=raw)


def test_a_whole_document() -> None:
    document = read(
        as_json(
            [
                {"code": "XY-0007", "name": "莴笋", "quantity": 128.5, "unit": "斤", "lot": "1123-A"},
                {"code": "XY-0008", "quantity": "卖完"},
                {"code": "XY-0009", "quantity": None},
            ],
            sequence=412,
            complete=True,
        )
    )
    assert (document.counted_at, document.basis, document.sequence, document.is_complete) == (
        MORNING,
        Basis.SHELF,
        412,
        True,
    )
    assert [(row.number, row.code, row.value, row.unit, row.lot) for row in document.rows] == [
        (1, "XY-0007", Decimal("128.5"), "斤", "1123-A"),
        (2, "XY-0008", "卖完", "", ""),
        (3, "XY-0009", None, "", ""),
    ]
    assert first(document).written == "128.5 斤"


def test_what_a_document_does_not_say_is_left_open() -> None:
    document = read(b'\xef\xbb\xbf{"items": []}')
    assert (document.counted_at, document.basis, document.sequence, document.is_complete) == (None,) * 4


def test_a_time_without_a_zone_is_the_sheds_own_clock() -> None:
    assert read(as_json([], counted_at="2026-11-23T06:10:00")).counted_at == MORNING
    in_utc = datetime(2026, 11, 23, 6, 10, tzinfo=timezone(timedelta(hours=8))).astimezone(UTC)
    assert read(as_json([], counted_at=in_utc.isoformat())).counted_at == MORNING


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b'{"items": [{"code": "XY-0007", "quan',
        b"[]",
        b'{"items": {}}',
        "编码".encode("gb18030"),
        b'{"items": ' + b"[" * 100_000,
        b'{"items": [' + b"9" * 5000 + b"]}",
        as_json([], counted_at="yesterday"),
        as_json([], counted_at=5),
        as_json([], basis="both"),
        as_json([], sequence="4"),
        as_json([], sequence=2**64),
        as_json([], complete="yes"),
        json.dumps({"items": [1] * 200_001}).encode(),
    ],
    ids=range(15),
)
def test_a_broken_document_is_refused_as_a_whole(raw: bytes) -> None:
    with pytest.raises(FeedUnreadable) as refused:
        read(raw)
    assert str(refused.value)


def test_a_broken_item_is_refused_alone() -> None:
    document = read(
        b'{"items": [7, {"code": ["XY"], "quantity": {"kg": 5}}, {"code": "XY-0007", "quantity": 5}]}'
    )
    assert [(row.number, bool(row.problem)) for row in document.rows] == [(1, True), (2, True), (3, False)]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ITEM = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("code", "name", "quantity", "unit", "lot", "remark"), ANYTHING)
)


@settings(max_examples=100)
@given(items=st.lists(ITEM | ANYTHING, max_size=5), is_ascii=st.booleans())
def test_the_items_say_what_they_say_to_whoever_reads_json(items: list[object], is_ascii: bool) -> None:
    raw = json.dumps({"items": items}, ensure_ascii=is_ascii).encode()
    expected: list[tuple[object, ...]] = []
    for number, item in enumerate(json.loads(raw, parse_float=Decimal)["items"], start=1):
        if not isinstance(item, dict):
            expected.append((number, "", as_text(item), "", "", "", True))
            continue
        value = item.get("quantity")
        words = [as_text(item.get(key)) for key in ("name", "unit", "lot")]
        is_odd = isinstance(value, dict | list)
        value = as_text(value) if isinstance(value, dict | list | str) else value
        code = as_text(item.get("code"))
        expected.append((number, code, value, *words, is_odd or not (code or words[0])))
    # As they are written: True is not 1, and 1.50 not 1.5.
    assert repr(expected) == repr(
        [
            (row.number, row.code, row.value, row.name, row.unit, row.lot, bool(row.problem))
            for row in read(raw).rows
        ]
    )


@pytest.mark.parametrize(
    "written, value",
    [
        (b"128.50", Decimal("128.50")),
        (b"0.1000000000000000055", Decimal("0.1000000000000000055")),
        (b"1E+5", Decimal("1E+5")),
        (b"1e400", Decimal("1e400")),
        (b"1e99999999999999999999", "1e99999999999999999999"),
        (b"18446744073709551616", 2**64),
        (b"NaN", "NaN"),
        (b"-Infinity", "-Infinity"),
        (b'"NaN \\" -Infinity"', 'NaN " -Infinity'),
        (b'"\\ud800"', "?"),
        (b'"\\udc00\\ud83d\\ude00\\ud83d"', "?😀?"),
        (b'"\\\\ud800"', "\\ud800"),
        (b'1, "quantity": 2', 2),
    ],
)
def test_a_value_is_kept_as_it_is_written(written: bytes, value: object) -> None:
    # Behind what makes the whole document no strict JSON, and before what does not.
    for more in (b"", b', {"code": "\\uD800"}, NaN'):
        raw = b'{"items": [{"code": "XY-0007", "quantity": ' + written + b"}" + more + b"]}"
        row = first(read(raw))
        assert (row.code, row.value, type(row.value), row.problem) == ("XY-0007", value, type(value), "")


@pytest.mark.parametrize("depth", [10, 800, 980])
def test_lists_in_lists_harm_their_own_row_alone(depth: int) -> None:
    raw = b'{"items": [{"code": "XY-1", "quantity": %b}, %b, {"code": "XY-0007", "quantity": 5}]}'
    nested = b"[" * depth + b"]" * depth
    try:
        rows = list(read(raw % (nested, nested)).rows)
    except FeedUnreadable:
        assert depth > 900
        return
    assert [bool(row.problem) for row in rows] == [True, True, False]
    assert all(row.written for row in rows)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"items": [' + b"NaN, " * 300_000 + b"1]}",
        b'{"items": ["' + b"\\ud800" * 300_000 + b'"]}',
        b'{"items": ["\xff"]}',
        b'{"items": ["\\ud8", "\\ud800"]}',
        b'{"items": ["\xed\xa0\x80"]}',
        b'{"items": [{"code": "XY-0007", "quantity": 01}]}',
        b'{"items": [{"code": "XY-0007", "quantity": nan}]}',
        b'{"items": [{"code": "XY-0007", "quantity": ' + b"9" * 5000 + b"}]}",
        b'{"items": []} {"items": []}',
        b'\xef\xbb\xbf\xef\xbb\xbf{"items": []}',
    ],
    ids=range(10),
)
def test_what_nobody_takes_for_json_is_refused_as_a_whole(raw: bytes) -> None:
    with pytest.raises(FeedUnreadable) as refused:
        read(raw)
    assert str(refused.value)


def test_items_in_keys_of_their_own_are_refused_and_not_called_empty() -> None:
    (row,) = read('{"items": [{"编码": "XY-0003", "数量": 30}]}'.encode()).rows
    assert str(row.problem)
