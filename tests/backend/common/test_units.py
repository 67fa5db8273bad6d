"""Quantities as bookkeepers write them (the table of docs on files that cooperatives send)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.common.units import (
    MOST_BASE_UNITS,
    Counting,
    Measure,
    Reading,
    parse_number,
    parse_quantity,
    plain_quantity,
    scale_of,
)

CELTUCE = Counting(base="g", container_name="筐", container_units=10_000)
EGGS = Counting(base="piece", container_name="箱", container_units=30)


def in_jin(value: object) -> Measure:
    return parse_quantity(value, unit="斤", counting=CELTUCE)


@pytest.mark.parametrize(
    "written, grams",
    [
        (128.5, 64_250),
        (Decimal("128.5"), 64_250),
        (12.299999999999999, 6150),
        (0, 0),
        ("128.5", 64_250),
        ("１２０", 60_000),
        ("1,200", 600_000),
        ("1,200.5", 600_250),
        (" 30 斤 ", 15_000),
        ("一百二", 60_000),
        ("一百二十", 60_000),
        ("一百零二", 51_000),
        ("一千五", 750_000),
        ("一千零五十", 525_000),
        ("一万二", 6_000_000),
        ("十五", 7500),
        ("二十", 10_000),
        ("两百", 100_000),
        ("一二〇", 60_000),
        ("贰拾", 10_000),
        ("三点五", 1750),
        ("三斤半", 1750),
        ("半斤", 250),
        ("两斤半", 1250),
        ("3斤5两", 1750),
        ("五两", 250),
        ("二十五斤", 12_500),
        ("5筐", 50_000),
        ("两筐", 20_000),
        ("0.333", 166),
        ("卖完", 0),
        ("卖完了", 0),
        ("无", 0),
        ("没货了", 0),
        ("\u200b30\u200f", 15_000),
        ("\ufeff卖完\u202c", 0),
        ("0公斤", 0),
        ("1.2万", 6_000_000),
        ("1.2万斤", 6_000_000),
        ("3千斤", 1_500_000),
        ("2百斤", 100_000),
        ("2筐5斤", 22_500),
        ("2筐零5斤", 22_500),
        ("2筐+5斤", 22_500),
        ("2筐、5斤", 22_500),
        ("三斤四两", 1700),
        ("30(斤)", 15_000),
        ("30斤。", 15_000),
        ("没得了", 0),
        ("莫得", 0),
        ("暂无库存", 0),
        ("卖完。", 0),
    ],
)
def test_what_can_be_read_becomes_whole_grams(written: object, grams: int) -> None:
    found = in_jin(written)
    assert (found.reading, found.base_units, str(found.message)) == (Reading.READ, grams, "")


@pytest.mark.parametrize(
    "written, proposal",
    [
        ("约30斤", 15_000),
        ("30斤左右", 15_000),
        ("三十多", 15_000),
        ("30多斤", 15_000),
        ("十来斤", 5000),
        ("30+", 15_000),
        ("30-40斤", 15_000),
        ("30～40", 15_000),
        ("半筐", 5000),
        ("一筐半", 15_000),
        ("1..5", 750),
        ("12。5斤", 6250),
        ("30(新到)", 15_000),
        ("72.5斤（早上称）", 36_250),
        ("约30斤(新到)", 15_000),
        ("若干", None),
        ("同上", None),
        ("√", None),
        ("128公斤", 128_000),
        ("5箱", None),
        ("-", None),
        ("待定", None),
        ("三四斤", 1500),
        ("两三斤", 1000),
        ("三五斤", 1500),
        ("四五两", 200),
        ("三四", 1500),
        ("三四十斤", 15_000),
        ("十七八斤", 8500),
        ("一百二三十斤", 60_000),
        ("二三十", 10_000),
        ("约七八斤", 3500),
        ("三到四斤", None),
        ("半", 250),
        ("百把斤", 50_000),
        ("上百斤", 50_000),
        ("≈30", 15_000),
        ("～30斤", 15_000),
        (">=30", 15_000),
        ("估30斤", 15_000),
        ("不到30斤", 15_000),
        ("最多30斤", 15_000),
        ("三十出头", 15_000),
        ("30斤？", 15_000),
        ("约1.2万斤", 6_000_000),
        ("卖完(明天有)", 0),
        ("2筐60斤", None),
        ("60斤2筐", None),
        ("2筐20斤", None),
        ("30斤20斤", None),
        ("30斤\n20斤", None),
        ("30公斤20斤", None),
        ("100、200", None),
        ("3背篼", None),
        ("10²", 5000),
        ("30①", 15_000),
    ],
)
def test_what_is_nearly_said_waits_with_a_proposal(written: str, proposal: int | None) -> None:
    found = in_jin(written)
    assert (found.reading, found.base_units) == (Reading.WAITS, proposal)
    assert written.strip() in str(found.message)


@pytest.mark.parametrize(
    "written",
    [
        "−5",
        "-5",
        "负五",
        -5,
        Decimal("-0.5"),
        "#N/A",
        "#REF!",
        "1.23E+11",
        "11月3日",
        "2026/11/3",
        date(2026, 11, 3),
        True,
        float("nan"),
        float("inf"),
        Decimal("1E+999999"),
        "50%",
        "abc",
        "斤",
        "1,20",
        "1 200",
        "一十百",
        10**12,
        "=1+1",
        "3/斤",
        "60斤/2筐",
        "1/2筐",
        "(5)",
        "(新到)",
        "9" * 5000,
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(written: object) -> None:
    found = in_jin(written)
    assert (found.reading, found.base_units) == (Reading.REFUSED, None)
    assert str(found.message)


@pytest.mark.parametrize("written", ["9", ".", " 1", "约", "3筐", "(", "1-", "三四"])
def test_a_page_of_anything_in_one_cell_is_refused_before_anything_is_looked_for_in_it(written: str) -> None:
    # A megabyte of digits would take a day.
    found = in_jin("1" + written * 1_000_000 + "x")
    assert (found.reading, found.base_units) == (Reading.REFUSED, None)


@pytest.mark.parametrize("written", [None, "", "  ", "\u3000"])
def test_blank_is_blank(written: object) -> None:
    assert in_jin(written).reading is Reading.BLANK


@pytest.mark.parametrize(
    "unit, grams",
    [
        ("", 3),
        ("g", 3),
        ("克", 3),
        ("两", 150),
        ("斤", 1500),
        ("KG", 3000),
        ("公斤", 3000),
        ("KGS", 3000),
        ("公斤(KG)", 3000),
        ("千克/kg", 3000),
        ("吨", 3_000_000),
        ("(斤)", 1500),
        ("筐", 30_000),
    ],
)
def test_the_columns_unit_holds_where_the_cell_says_none(unit: str, grams: int) -> None:
    assert parse_quantity("3", unit=unit, counting=CELTUCE).base_units == grams


@pytest.mark.parametrize("written, grams", [("30千克", 30_000), ("三千克", 3000), ("2.5 千克", 2500)])
def test_a_kilogram_is_no_thousand_of_anything(written: str, grams: int) -> None:
    found = parse_quantity(written, unit="公斤", counting=CELTUCE)
    assert (found.reading, found.base_units) == (Reading.READ, grams)


def test_a_price_by_weight_is_no_unit_of_a_column() -> None:
    assert parse_quantity("30", unit="斤/筐", counting=CELTUCE).base_units is None


def test_a_number_is_told_as_the_cell_shows_it() -> None:
    assert "“-3”" in str(in_jin(-3.0).message)


def test_a_weight_whose_unit_nobody_said_waits() -> None:
    assert parse_quantity("3", unit=None, counting=CELTUCE).reading is Reading.WAITS
    assert parse_quantity("0", unit=None, counting=CELTUCE).base_units == 0
    assert parse_quantity("3", unit=None, counting=EGGS).base_units == 3


@pytest.mark.parametrize(
    "written, reading, pieces",
    [
        ("12", Reading.READ, 12),
        ("12枚", Reading.READ, 12),
        ("十二个", Reading.READ, 12),
        ("3箱", Reading.READ, 90),
        ("3箱5个", Reading.READ, 95),
        ("3箱90个", Reading.WAITS, None),
        ("十七八个", Reading.WAITS, 17),
        (30.0, Reading.READ, 30),
        ("3.5", Reading.REFUSED, None),
        ("半箱", Reading.WAITS, 15),
        ("2斤", Reading.WAITS, None),
        ("2筐", Reading.WAITS, None),
    ],
)
def test_pieces_are_counted_whole(written: object, reading: Reading, pieces: int | None) -> None:
    found = parse_quantity(written, unit="", counting=EGGS)
    assert (found.reading, found.base_units) == (reading, pieces)


def test_a_container_of_unknown_weight_waits() -> None:
    found = parse_quantity("5筐", unit="", counting=Counting(base="g", container_name="筐"))
    assert found.reading is Reading.WAITS
    assert "筐" in str(found.message)


DIGITS, STEPS = "零一二三四五六七八九", ["", "十", "百", "千"]


def in_chinese(number: int) -> str:
    """The full form: 一百零二, 一千零五十; independent of what is tested."""
    if number == 0:
        return "零"
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        return in_chinese(high) + "万" + (("零" if low < 1000 else "") + in_chinese(low) if low else "")
    said, gap = "", False
    for place, digit in enumerate(f"{number:d}"):
        step = STEPS[len(f"{number:d}") - place - 1]
        if digit == "0":
            gap = True
            continue
        said += ("零" if gap and said else "") + DIGITS[int(digit)] + step
        gap = False
    return said


@given(number=st.integers(0, 99_999_999))
def test_every_number_in_chinese_reads_as_itself(number: int) -> None:
    assert parse_number(in_chinese(number)) == number


@given(number=st.integers(0, 99_999))
def test_every_number_in_digits_reads_as_itself_grouped_or_not(number: int) -> None:
    assert parse_number(f"{number}") == parse_number(f"{number:,}") == number


@given(
    st.one_of(
        st.text(),
        st.floats(),
        st.decimals(),
        st.integers(),
        st.text("0123456789.,一二十百千万两斤半筐约多-~ "),
    )
)
def test_whatever_is_written_gets_an_answer_within_bounds(written: object) -> None:
    found = in_jin(written)
    assert found.base_units is None or 0 <= found.base_units <= MOST_BASE_UNITS
    assert found.reading is not Reading.READ or found.base_units is not None


@given(
    value=st.one_of(
        st.text("0123456789.", max_size=14),
        st.floats(),
        st.floats(0, 1e6),
        st.decimals(),
        st.decimals(0, 10**7, places=3),
        st.integers(-10, 10**10),
        st.booleans(),
    ),
    unit=st.sampled_from(["", "斤", "公斤", "KG", " 两 ", "筐", "箱", "个", "袋", "捆", None, "什么"]),
    counting=st.sampled_from([CELTUCE, EGGS, Counting(base="g"), Counting(base="g", container_name="捆")]),
)
def test_the_short_path_answers_as_the_long_one_or_not_at_all(
    value: object, unit: str | None, counting: Counting
) -> None:
    scale = scale_of(unit, counting)
    short = None if scale is None else plain_quantity(value, scale)
    found = parse_quantity(value, unit=unit, counting=counting)
    if short is not None and scale is not None:
        assert (found.reading, found.base_units, found.unit) == (Reading.READ, short, scale.unit)


@pytest.mark.parametrize("value", ["128.5", 128.5, 128, Decimal("128.5")])
def test_the_short_path_is_taken_by_plain_numbers(value: object) -> None:
    scale = scale_of("斤", CELTUCE)
    assert scale is not None
    assert plain_quantity(value, scale) in (64_250, 64_000)
