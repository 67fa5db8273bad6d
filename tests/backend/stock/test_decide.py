"""What becomes of a row, given what is in the books."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from backend.common.units import Counting, scale_of
from backend.stock.decide import Books, Count, CountKey, Verdict, decide
from backend.stock.feeds.document import Row
from backend.stock.matching import Catalogue, Known, Matches
from backend.stock.words import Basis, Outcome
from tests.backend.stock.shed import MORNING

CATALOGUE = Catalogue(
    [
        Known(1, "XY-0001", "莴笋"),
        Known(2, "XY-0002", "儿菜"),
        Known(3, "00123", "豌豆尖"),
        Known(4, "XY-0004", "红油菜薹"),
    ]
)
EARLIER = MORNING - timedelta(hours=1)
BOOK = Books(
    pk=1,
    counting=Counting(base="g"),
    on_hand=50_000,
    allocated=0,
    counted=(EARLIER, 0, "a"),
    counted_units=50_000,
    counted_unit="斤",
)
SHELF = Count(key=(MORNING, 0, "b"), basis=Basis.SHELF, counts_from=MORNING)


def row(
    value: object, *, code: str = "XY-0001", unit: str | None = "斤", number: int = 1, **changes: Any
) -> Row:
    return Row(number=number, column="库存", code=code, value=value, unit=unit, **changes)


def verdict(value: object, *, book: Books = BOOK, count: Count = SHELF, unit: str | None = "斤") -> Verdict:
    return decide(
        matches=Matches(rows=[row(value, unit=unit)], catalogue=CATALOGUE), books={1: book}, count=count
    )[0]


def test_a_shelf_count_is_on_hand_less_what_has_left_since() -> None:
    book = BOOK._replace(allocated=7000, on_hand_since=-5000, allocated_since=-5000)
    assert verdict("100", book=book).on_hand == 45_000


@pytest.mark.parametrize("value", ["100", "约100"])
def test_the_same_count_again_is_told_as_such_and_a_newer_one_as_newer(value: str) -> None:
    same = verdict(value, book=BOOK._replace(counted=SHELF.key))
    newer = verdict(value, book=BOOK._replace(counted=(MORNING, 1, "a")))
    assert (same.outcome, newer.outcome) == (Outcome.SKIPPED, Outcome.SKIPPED)
    assert (str(same.message), str(newer.message)) == (
        "这次点数已经在账上：没有变动。",
        "账上已有更新的点数：没有变动。",
    )


def test_a_sellable_count_adds_what_was_promised_when_it_was_made() -> None:
    # 7 kg promised now, of which 3 kg since the count; 5 kg have left since, promised before it.
    book = BOOK._replace(allocated=7000, on_hand_since=-5000, allocated_since=3000 - 5000)
    count = replace(SHELF, basis=Basis.SELLABLE)
    assert verdict("100", book=book, count=count).on_hand == 50_000 + 9000 - 5000


def test_the_figure_never_falls_below_nothing() -> None:
    found = verdict("1", book=BOOK._replace(on_hand=1500, on_hand_since=-2000))
    assert (found.outcome, found.on_hand) == (Outcome.ACCEPTED, 0)
    assert found.message


@pytest.mark.parametrize(
    "key",
    [(EARLIER, 9, "z"), (MORNING, 3, "z"), (MORNING, 4, "b"), (MORNING, 4, "a")],
)
def test_a_count_that_is_not_newer_changes_nothing(key: CountKey) -> None:
    book = BOOK._replace(counted=(MORNING, 4, "b"))
    assert verdict("90", book=book, count=replace(SHELF, key=key)).outcome is Outcome.SKIPPED


@pytest.mark.parametrize(
    "key", [(MORNING, 5, "a"), (MORNING, 4, "c"), (MORNING + timedelta(seconds=1), 0, "a")]
)
def test_a_count_that_is_newer_by_time_number_or_content_goes_through(key: CountKey) -> None:
    book = BOOK._replace(counted=(MORNING, 4, "b"))
    assert verdict("90", book=book, count=replace(SHELF, key=key)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    "written, outcome",
    [
        ("1000", Outcome.WAITING),
        ("999", Outcome.ACCEPTED),
        ("10", Outcome.WAITING),
        ("10.1", Outcome.ACCEPTED),
        ("0", Outcome.ACCEPTED),
        ("200", Outcome.ACCEPTED),
        ("50", Outcome.ACCEPTED),
    ],
)
def test_ten_times_as_much_or_a_tenth_waits_and_nothing_less_does(written: str, outcome: Outcome) -> None:
    assert verdict(written).outcome is outcome


def test_a_shed_that_was_nearly_sold_out_may_be_filled_again() -> None:
    assert verdict("1000", book=BOOK._replace(on_hand=9999)).outcome is Outcome.ACCEPTED
    assert verdict("1000", book=BOOK._replace(on_hand=10_000)).outcome is Outcome.WAITING


def test_the_same_number_in_another_unit_waits() -> None:
    found = verdict("100", unit="公斤")
    assert (found.outcome, found.base_units) == (Outcome.WAITING, 100_000)
    assert verdict("25", unit="公斤").outcome is Outcome.WAITING
    assert verdict("90", unit="公斤").outcome is Outcome.ACCEPTED
    assert verdict("200", unit="市斤").outcome is Outcome.ACCEPTED


def test_a_first_count_is_never_a_jump() -> None:
    assert verdict("9000", book=BOOK._replace(counted=None, on_hand=0)).outcome is Outcome.ACCEPTED


def test_what_waits_goes_through_when_a_person_says_it_again() -> None:
    book = BOOK._replace(waiting=frozenset({500_000}))
    assert verdict("1000", book=book).outcome is Outcome.WAITING
    assert verdict("1000", book=book, count=replace(SHELF, is_by_hand=True)).outcome is Outcome.ACCEPTED
    assert verdict("2000", book=book, count=replace(SHELF, is_by_hand=True)).outcome is Outcome.WAITING


def test_a_message_away_from_its_table_says_where_the_row_stands() -> None:
    refused = Verdict(row("x", number=7, letter="C"), Outcome.REFUSED, message="Write a number.")
    assert "7" in str(refused.told) and "C" in str(refused.told) and "Write a number." in str(refused.told)
    elsewhere = refused._replace(row=row("x", number=2_000_007, letter="C", sheet="干货"))
    assert (
        "7" in str(elsewhere.told) and "2000007" not in str(elsewhere.told) and "干货" in str(elsewhere.told)
    )
    assert refused._replace(message="").told == ""


def test_the_short_path_decides_as_the_long_one() -> None:
    """The same good, said so that only the long path reads it: 50斤 for 50."""
    for basis in Basis:
        for on_hand, allocated, since in (
            (50_000, 0, 0),
            (50_000, 7000, -5000),
            (1500, 2000, -2000),
            (0, 0, 0),
        ):
            for counted in (None, (EARLIER, 0, "a"), (MORNING, 0, "b"), (MORNING, 0, "c")):
                for unit in ("斤", "公斤", ""):
                    book = BOOK._replace(
                        on_hand=on_hand,
                        allocated=allocated,
                        on_hand_since=since,
                        counted=counted,
                        counted_units=on_hand,
                        counted_unit=unit,
                    )
                    for said in ("0", "1", "50", "100", "5000"):
                        count = replace(SHELF, basis=basis)
                        short, long = (
                            verdict(said, book=book, count=count),
                            verdict(f"{said}斤", book=book, count=count),
                        )
                        assert short._replace(row=long.row, message="") == long._replace(message="")
                        assert str(short.message) == str(long.message)


@pytest.mark.parametrize(
    "counted_unit, outcome, base_units",
    [("斤", "accepted", 45_000), ("公斤", "accepted", 90_000), ("g", "waiting", None), ("", "waiting", None)],
)
def test_a_sheet_without_units_is_taken_in_the_unit_of_the_last_count(
    counted_unit: str, outcome: str, base_units: int | None
) -> None:
    for said in ("90", " 90 "):
        found = verdict(said, book=BOOK._replace(counted_unit=counted_unit), unit=None)
        assert (found.outcome, found.base_units) == (outcome, base_units)


def test_no_page_of_text_in_the_place_of_a_unit_is_kept() -> None:
    scale_of.cache_clear()
    decided = verdict("5", unit="斤" * 100_000)
    assert (decided.outcome, decided.base_units) == (Outcome.WAITING, None)
    assert scale_of.cache_info().currsize == 0
