"""A cooperative's own system says its counts in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds import read_document
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
