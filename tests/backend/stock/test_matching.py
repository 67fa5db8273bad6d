"""Which supply a row means: the codes and names that bookkeepers write."""

from __future__ import annotations

from typing import Any

import pytest

from backend.stock import matching
from backend.stock.feeds.document import Row
from backend.stock.matching import BATCH, MOST_SUGGESTIONS, Catalogue, Known, Matches
from backend.stock.words import Outcome

CATALOGUE = Catalogue(
    [
        Known(1, "XY-0001", "莴笋"),
        Known(2, "XY-0002", "儿菜"),
        Known(3, "00123", "豌豆尖"),
        Known(4, "XY-0004", "红油菜薹"),
    ]
)


def row(value: object, *, code: str = "XY-0001", number: int = 1, **changes: Any) -> Row:
    return Row(number=number, column="库存", code=code, value=value, unit="斤", **changes)


def test_the_same_good_twice_is_refused_in_both_rows_and_the_others_go_through() -> None:
    rows = [row("1"), row("2", code="xy－0001", number=2), row("3", code="XY-0002", number=3)]
    found = list(Matches(rows=rows, catalogue=CATALOGUE))
    assert [match.outcome for match in found] == [Outcome.REFUSED, Outcome.REFUSED, None]


def test_a_good_on_two_sheets_is_told_with_its_sheets() -> None:
    rows = [row("1", number=2, sheet="冷库"), row("2", number=1_000_002, sheet="大棚")]
    assert ["冷库!2, 大棚!2" in str(match.message) for match in Matches(rows=rows, catalogue=CATALOGUE)] == [
        True
    ] * 2


@pytest.mark.parametrize(
    "code, name, supply_id",
    [
        ("XY-0001", "", 1),
        (" xy－0001 ", "", 1),
        ("XY—0001", "", 1),
        ("123", "", 3),
        ("123.0", "", 3),
        ("00123", "", 3),
        ("", "儿菜", 2),
        ("", "没有的菜", None),
        ("XY-0009", "儿菜", None),
        ("124", "", None),
        ("\u200bXY-0001\ufeff", "", 1),
    ],
)
def test_a_code_is_found_as_bookkeepers_write_it(code: str, name: str, supply_id: int | None) -> None:
    assert CATALOGUE.find(code=code, name=name) == supply_id


@pytest.mark.parametrize(
    "code, name, suggested",
    [("XY-0009", "儿菜", 2), ("XY-0O04", "", 4), ("", "油菜薹", 4), ("QQ", "鱼", None)],
)
def test_an_unknown_code_waits_with_the_likeliest_good(code: str, name: str, suggested: int | None) -> None:
    (match,) = Matches(rows=[row("5", code=code, name=name)], catalogue=CATALOGUE)
    assert (match.outcome, match.supply_id) == (Outcome.WAITING, suggested)


def test_hidden_rows_wait_and_shortened_codes_are_refused() -> None:
    rows = [row("5", is_hidden=True), row("5", code="1.23E+11"), row("5", code="XY-0002", problem="broken")]
    found = list(Matches(rows=rows, catalogue=CATALOGUE))
    assert [match.outcome for match in found] == [Outcome.WAITING, Outcome.REFUSED, Outcome.REFUSED]


def test_only_goods_that_no_row_may_mean_are_absent() -> None:
    rows = [row("5"), row("5", code="XY-0009", name="儿菜"), row("", code="00123")]
    found = Matches(rows=rows, catalogue=CATALOGUE, is_complete=True)
    assert [(match.row.number, match.supply_id) for match in found][3:] == [(0, 4)]
    assert len(found) == 4 and found.further() == [1, 4]


def test_a_number_that_may_be_two_codes_or_none_is_refused() -> None:
    catalogue = Catalogue([Known(1, "0123", "莴笋"), Known(2, "00123", "儿菜")])
    found = Matches(
        rows=[row("5", code="123"), row("5", code="0123", number=2), row("5", code="9.0", number=3)],
        catalogue=catalogue,
    )
    assert [match.outcome for match in found] == [Outcome.REFUSED, None, Outcome.REFUSED]


def test_goods_that_one_row_may_mean_are_not_absent() -> None:
    catalogue = Catalogue(
        [
            Known(1, "0123", "莴笋"),
            Known(2, "00123", "儿菜"),
            Known(3, "XY-0003", "豌豆尖"),
            Known(4, "XY-0004", "豌豆尖"),
            Known(5, "XY-0005", "鱼"),
            Known(6, "XY-0006", "虾"),
        ]
    )
    rows = [
        row("5", code="123"),
        row("5", code="", name="豌豆尖", number=2),
        row("5", code="XY-0005", number=3),
    ]
    found = Matches(rows=rows, catalogue=catalogue, is_complete=True)
    for matches in (list(found), list(found.in_one_go())):
        assert [match.supply_id for match in matches if match.row.number == 0] == [6]


@pytest.mark.parametrize("code", ["QQ-1", "1.23E+11"])
def test_a_complete_list_of_unknown_goods_alone_sells_nothing_out(code: str) -> None:
    found = Matches(rows=[row("5", code=code)], catalogue=CATALOGUE, is_complete=True)
    assert [match.row.number for match in found] == [match.row.number for match in found.in_one_go()] == [1]


def test_a_code_beside_another_goods_name_waits_and_beside_any_other_name_does_not() -> None:
    rows = [
        row("5", name="儿菜"),
        row("5", code="XY-0002", name="抱儿菜", number=2),
        row("5", code="00123", name="豌豆尖(嫩)", number=3),
    ]
    found = list(Matches(rows=rows, catalogue=CATALOGUE))
    assert [match.outcome for match in found] == [Outcome.WAITING, None, None]
    assert "儿菜" in str(found[0].message) and "莴笋" in str(found[0].message)
    (confirmed,) = Matches(rows=rows[:1], catalogue=CATALOGUE, confirmed=[1])
    assert (confirmed.outcome, confirmed.supply_id) == (None, 1)


def test_another_word_for_a_good_suggests_it() -> None:
    (match,) = Matches(rows=[row("5", code="", name="青笋")], catalogue=CATALOGUE)
    assert (match.outcome, match.supply_id) == (Outcome.WAITING, 1)


def test_what_the_reader_doubts_waits_and_goes_through_once_confirmed() -> None:
    doubted = row("5", doubt="Which day?")
    (match,) = Matches(rows=[doubted], catalogue=CATALOGUE)
    assert (match.outcome, match.supply_id, match.message) == (Outcome.WAITING, 1, "Which day?")
    (confirmed,) = Matches(rows=[doubted], catalogue=CATALOGUE, confirmed=[1])
    assert confirmed.outcome is None


def test_rows_mean_the_same_each_time_they_are_gone_through() -> None:
    strangers = [row("5", code=f"QQ-{number}", number=number) for number in range(5, 2 * MOST_SUGGESTIONS)]
    rows = [
        row("1"),
        row("2", code="xy－0001", number=2),
        row("3", code="", name="儿菜", number=3),
        row("4", code="XY-0O04", number=4),
        *strangers,
    ]
    found = Matches(rows=rows, catalogue=CATALOGUE, is_complete=True)
    assert [(each.row, each.supply_id, each.outcome, str(each.message)) for each in found] == [
        (each.row, each.supply_id, each.outcome, str(each.message)) for each in found
    ]
    assert [each.row for each in found][: len(rows)] == rows
    assert found.further() == [2, 3]


def test_a_great_shed_is_searched_for_the_first_unknown_codes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_COMPARED", 8)
    catalogue = Catalogue(CATALOGUE.supplies)
    rows = [row("5", code=f"XY-0O0{number}", number=number) for number in (1, 2, 4)]
    found = Matches(rows=rows, catalogue=catalogue)
    for _pass in range(2):
        assert [(each.outcome, each.supply_id) for each in found] == [
            (Outcome.WAITING, 1),
            (Outcome.WAITING, 2),
            (Outcome.WAITING, None),
        ]


def test_a_good_that_is_counted_far_apart_is_refused_in_both_rows() -> None:
    goods = Catalogue([Known(number, f"XY-{number:06}", "菜") for number in range(1, 2 * BATCH)])
    rows = [row("5", code=f"XY-{number:06}", number=number) for number in range(1, 2 * BATCH)]
    rows.append(row("6", code="XY-000007", number=2 * BATCH))
    refused = [each for each in Matches(rows=rows, catalogue=goods) if each.outcome is Outcome.REFUSED]
    assert [each.row.number for each in refused] == [7, 2 * BATCH]
    assert all(f"7, {2 * BATCH}" in str(each.message) for each in refused)
