"""Which column holds what."""

from __future__ import annotations

import pytest

from backend.stock.feeds import ColumnsUnknown, plain_heading
from backend.stock.feeds.columns import letter_of
from tests.backend.stock.feeds.reading import Told, first, read, told


def csv(text: str) -> bytes:
    return text.strip().replace(" | ", ",").encode()


def asked(raw: bytes) -> ColumnsUnknown:
    with pytest.raises(ColumnsUnknown) as asked:
        read(raw)
    assert asked.value.code == "columns_unknown"
    return asked.value


@pytest.mark.parametrize(
    "headings",
    [
        "编码,品名,库存(斤)",
        "商品编码,商品名称,今日库存（斤）",
        "货 号,菜名,现有库存[斤]",
        "编号,品种,11月23日库存(单位:斤)",
        "代码,产品,2026-11-23 结存/斤",
        "*编码,名称:,斤数",
        "SKU,Name,Qty(斤)",
    ],
)
def test_headings_go_by_many_names(headings: str) -> None:
    assert told(read(csv(f"{headings}\nXY-0003,莴笋,30"))) == [Told(2, "XY-0003", "accepted", 15_000)]


def test_what_is_there_goes_before_other_numbers() -> None:
    raw = csv("编码,品名,昨日库存,入库数量,出库数量,库存,安全库存,单价\nXY-0003,莴笋,1,2,3,30,5,6.5")
    (row,) = read(raw).rows
    assert (row.value, row.letter) == ("30", "F")


def test_two_days_beside_each_other_are_asked_about() -> None:
    error = asked(csv("编码,品名,11月22日库存,11月23日库存\nXY-0003,莴笋,30,40"))
    assert error.headers == ("编码", "品名", "11月22日库存", "11月23日库存")
    assert error.examples == (("XY-0003", "莴笋", "30", "40"),)


@pytest.mark.parametrize(
    "headings, row",
    [
        ("编码,品名,库存数量(斤),盘点数量(斤),盈亏", "XY-0003,莴笋,40,30,-10"),
        ("编码,品名,结存(斤),实盘(斤)", "XY-0003,莴笋,40,30"),
        ("编码,品名,期初库存,入库,出库,期末库存(斤)", "XY-0003,莴笋,40,0,10,30"),
        ("编码,品名,件数,重量(斤)", "XY-0003,莴笋,2,30"),
    ],
)
def test_what_was_counted_goes_before_what_the_books_say(headings: str, row: str) -> None:
    assert told(read(csv(f"{headings}\n{row}"))) == [Told(2, "XY-0003", "accepted", 15_000)]


@pytest.mark.parametrize(
    "headings",
    [
        "编码,品名,库存,卖出,剩余",
        "编码,品名,数量,重量(斤)",
        "编码,品名,数量,单价,总重(斤)",
        "编码,品名,单位,库存,结余",
    ],
)
def test_two_columns_that_may_both_be_the_stock_are_asked_about(headings: str) -> None:
    error = asked(csv(f"{headings}\nXY-0003,莴笋,40,10,30"))
    assert error.headers == tuple(headings.split(","))
    mapping = {"编码": "code", headings.split(",")[-1]: "quantity"}
    assert (
        first(read(csv(f"{headings}\nXY-0003,莴笋,40,10,30"), mapping=mapping)).column
        == headings.split(",")[-1]
    )


def test_of_two_headings_that_differ_in_brackets_only_the_one_that_a_person_named_is_taken() -> None:
    raw = csv("编码,品名,库存(筐),库存(斤)\nXY-0003,莴笋,2,30")
    assert asked(raw).headers == ("编码", "品名", "库存(筐)", "库存(斤)")
    assert told(read(raw, mapping={"编码": "code", "库存(斤)": "quantity"})) == [
        Told(2, "XY-0003", "accepted", 15_000)
    ]


def test_a_unit_in_a_second_row_of_headings_holds() -> None:
    assert told(read(csv("编码,品名,库存\n,,(公斤)\nXY-0003,莴笋,30"))) == [
        Told(3, "XY-0003", "accepted", 30_000)
    ]


@pytest.mark.parametrize("one, other", [("筐", "斤"), ("昨日", "今日")])
def test_two_columns_below_one_heading_are_asked_about_and_then_known(one: str, other: str) -> None:
    raw = csv(f"编码,品名,库存,,备注\n,,{one},{other},\nXY-0003,莴笋,2,30,")
    error = asked(raw)
    assert error.headers == ("编码", "品名", f"库存/{one}", f"库存/{other}", "备注")
    assert error.examples == (("XY-0003", "莴笋", "2", "30", ""),)
    (row,) = read(raw, mapping={"编码": "code", f"库存/{other}": "quantity"}).rows
    assert (row.value, row.letter, row.line) == ("30", "D", 3)


def test_a_note_below_the_headings_is_no_second_row_of_them() -> None:
    assert told(read(csv("编码,品名,库存(斤),\n,,,早上数\nXY-0003,莴笋,30,")))[-1] == Told(
        3, "XY-0003", "accepted", 15_000
    )


def test_a_column_that_only_counts_the_rows_is_no_code() -> None:
    found = told(read(csv("编号,品名,库存(斤)\n1,莴笋,30\n2,儿菜,5\n编号,品名,库存(斤)\n3,豌豆尖,4")))
    assert [(each.code, each.outcome) for each in found] == [
        ("莴笋", "accepted"),
        ("儿菜", "accepted"),
        ("豌豆尖", "accepted"),
    ]
    (row,) = read(csv("编号,品名,库存\n123,土鸡蛋,30")).rows
    assert row.code == "123"


@pytest.mark.parametrize("remark", ["今日", "实盘", "11月23日", "必填"])
def test_a_remark_in_the_brackets_of_a_heading_is_no_unit(remark: str) -> None:
    (row,) = read(csv(f"编码,品名,库存({remark})\nXY-0003,莴笋,30")).rows
    assert row.unit is None


def test_headings_that_nobody_knows_are_asked_about_once_and_then_known() -> None:
    raw = csv("每日报表\n代号,叫啥,还剩好多(斤),记一笔\nXY-0003,莴笋,30,早上")
    error = asked(raw)
    assert error.headers == ("代号", "叫啥", "还剩好多(斤)", "记一笔")
    mapping = {"代号": "code", "叫啥": "name", "还剩好多(斤)": "quantity", "记一笔": "note"}
    document = read(raw, mapping=mapping)
    assert told(document) == [Told(3, "XY-0003", "accepted", 15_000)]
    assert first(document).name == "莴笋"
    # Tomorrow's file: the same headings, other spaces.
    raw = csv("每日报表\n代号,叫啥 ,还剩好多（斤）,记一笔\nXY-0004,儿菜,5,")
    assert [*map(plain_heading, asked(raw).headers)] == [*map(plain_heading, error.headers)]
    assert told(read(raw, mapping=mapping)) == [Told(3, "XY-0004", "accepted", 2_500)]


def test_of_a_column_that_is_asked_about_it_is_told_what_it_probably_is_and_what_stands_below() -> None:
    long = "一" * 50
    columns = asked(csv(f"编码,数量,总重,记一笔\nXY-0003,30,45,{long}\nXY-0004,,9,")).columns
    assert [(each.header, each.role) for each in columns] == [
        ("编码", "code"),
        ("数量", ""),
        ("总重", ""),
        ("记一笔", ""),
    ]
    assert [list(each.examples) for each in columns] == [
        ["XY-0003", "XY-0004"],
        ["30", ""],
        ["45", "9"],
        ["一" * 20, ""],
    ]


def test_what_a_person_said_goes_before_the_usual_names() -> None:
    raw = csv("编码,库存,可售\nXY-0003,30,20")
    assert first(read(raw)).value == "30"
    assert first(read(raw, mapping={"编码": "code", "可售": "quantity"})).value == "20"


def test_a_mapping_for_other_headings_leaves_the_usual_names() -> None:
    mapping = {"代号": "code", "还剩": "quantity"}
    assert first(read(csv("编码,库存\nXY-0003,30"), mapping=mapping)).value == "30"
    asked(csv("甲,乙\n丙,丁"))


def test_two_columns_of_one_name_are_told_apart() -> None:
    error = asked(csv("编码,库存,库存\nXY-0003,30,20"))
    assert error.headers == ("编码", "库存", "库存 C列")
    (row,) = read(csv("编码,库存,库存\nXY-0003,30,20"), mapping={"编码": "code", "库存 C列": "quantity"}).rows
    assert (row.value, row.letter) == ("20", "C")


def test_a_table_without_headings_is_asked_about_by_letters() -> None:
    raw = csv("XY-0003,莴笋,30,斤\nXY-0004,儿菜,5,斤")
    error = asked(raw)
    assert error.headers == ("A 列", "B 列", "C 列", "D 列")
    assert error.examples[0] == ("XY-0003", "莴笋", "30", "斤")
    mapping = {"A 列": "code", "B 列": "name", "C 列": "quantity", "D 列": "unit"}
    assert told(read(raw, mapping=mapping)) == [
        Told(1, "XY-0003", "accepted", 15_000),
        Told(2, "XY-0004", "accepted", 2500),
    ]


@pytest.mark.parametrize("mapping", [{"编码": "code"}, {"库存": "quantity"}, {"x": "king"}, {}])
def test_a_mapping_that_says_too_little_says_nothing(mapping: dict[str, str]) -> None:
    assert first(read(csv("编码,库存\nXY-0003,30"), mapping=mapping)).value == "30"


def test_columns_have_the_letters_of_a_workbook() -> None:
    assert [letter_of(column) for column in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
