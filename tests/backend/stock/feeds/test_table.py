"""Tables as bookkeepers lay them out."""

from __future__ import annotations

import pytest

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds import Document
from backend.stock.feeds.table import Grid, read_grids
from backend.stock.matching import Catalogue, Matches
from tests.backend.stock.feeds.reading import GOODS, TODAY, Told, read, told
from tests.backend.stock.shed import MORNING


def csv(text: str) -> Document:
    return read(text.strip().encode())


def told_csv(text: str) -> list[Told]:
    return told(csv(text))


# ---- Every way of writing a quantity, from the file to what becomes of it ----


@pytest.mark.parametrize(
    "written, outcome, base_units",
    [
        ("１２０", "accepted", 60_000),
        ("一百二", "accepted", 60_000),
        ("1,200", "accepted", 600_000),
        ("30斤", "accepted", 15_000),
        ("2筐5斤", "accepted", 42_500),
        ("卖完", "accepted", 0),
        ("无", "accepted", 0),
        ("没有", "accepted", 0),
        ("售罄", "accepted", 0),
        ("0", "accepted", 0),
        ("-0", "refused", None),
        ("", "skipped", None),
        ("约30斤", "waiting", 15_000),
        ("三十多", "waiting", 15_000),
        ("十来斤", "waiting", 5000),
        ("半筐", "waiting", 10_000),
        ("1..5", "waiting", 750),
        ("12。5", "waiting", 6250),
        ("30(新到)", "waiting", 15_000),
        ("72.5斤(早上称)", "waiting", 36_250),
        ("若干", "waiting", None),
        ("同上", "waiting", None),
        ("3车", "waiting", None),
        ("128公斤", "waiting", 128_000),
        ("-5", "refused", None),
        ("−5", "refused", None),
        ("#N/A", "refused", None),
        ("50%", "refused", None),
        ("6:30", "refused", None),
        ("2026/11/3", "refused", None),
        ("11月3日", "refused", None),
        ("TRUE", "refused", None),
        ("NaN", "refused", None),
        ("1e400", "refused", None),
        ("1.23E+11", "refused", None),
        ("=1+1", "refused", None),
        ("9" * 60, "refused", None),
    ],
)
def test_a_quantity_ends_as_the_rules_say(written: str, outcome: str, base_units: int | None) -> None:
    (found,) = told_csv(f'编码,品名,库存,单位\nXY-0003,莴笋,"{written}",斤')
    assert (found.outcome, found.base_units) == (outcome, base_units)


def test_half_a_basket_whose_weight_nobody_knows_waits_without_a_proposal() -> None:
    assert told_csv("编码,库存,单位\nXY-0004,半筐,斤") == [Told(2, "XY-0004", "waiting", None)]


@pytest.mark.parametrize(
    "written, outcome", [("46329", "accepted"), ("2026/11/3", "refused"), ("11月3日", "refused")]
)
def test_a_serial_is_a_date_in_a_column_of_dates_only(written: str, outcome: str) -> None:
    assert told_csv(f"编码,库存,单位\nXY-0003,{written},斤")[0].outcome == outcome


# ---- Codes and names ----


@pytest.mark.parametrize(
    "code, outcome",
    [
        ("00123", "accepted"),
        ("123", "accepted"),
        ("123.0", "accepted"),
        ("124.0", "refused"),
        ("124", "waiting"),
        ("1.23E+11", "refused"),
        ("１．２３Ｅ＋１１", "refused"),
        ("xy－0003", "accepted"),
        (" XY-0003 ", "accepted"),
        ("XY-9999", "waiting"),
    ],
)
def test_a_code_ends_as_the_rules_say(code: str, outcome: str) -> None:
    assert (
        told_csv(f"编码,库存,单位\n{code},30,个" if "123" in code else f"编码,库存,单位\n{code},30,斤")[
            0
        ].outcome
        == outcome
    )


@pytest.mark.parametrize(
    "name, suggested", [("莴苣", "莴笋"), ("青笋", "莴笋"), ("抱儿菜", "儿菜"), ("莴笋儿", "莴笋")]
)
def test_a_dialect_name_waits_with_the_good_that_it_means(name: str, suggested: str) -> None:
    (match,) = Matches(rows=csv(f"品名,库存,单位\n{name},30,斤").rows, catalogue=Catalogue(GOODS))
    assert match.outcome == "waiting"
    assert suggested in str(match.message)


def test_a_name_is_enough_where_no_code_is_kept() -> None:
    assert told_csv("品名,库存(斤)\n莴笋,30\n 儿菜 ,5")[1] == Told(3, "儿菜", "accepted", 2500)


def test_a_code_beside_another_goods_name_waits() -> None:
    assert [
        each.outcome for each in told_csv("编码,品名,库存,单位\nXY-0003,儿菜,30,斤\nXY-0004,儿菜(一级),5,斤")
    ] == [
        "waiting",
        "accepted",
    ]


def test_the_same_code_twice_is_refused_in_both_rows_and_both_are_named() -> None:
    text = "编码,库存,单位\nXY-0003,30,斤\nXY-0004,5,斤\nxy-0003,20,斤"
    assert [(each.line, each.outcome) for each in told_csv(text)] == [
        (2, "refused"),
        (3, "accepted"),
        (4, "refused"),
    ]


def test_a_quantity_without_a_good_is_refused() -> None:
    assert told_csv("编码,品名,库存,单位\n,,30,斤\nXY-0004,儿菜,5,斤")[0].outcome == "refused"


# ---- Jumps ----


@pytest.mark.parametrize(
    "written, unit, outcome",
    [("300", "斤", "waiting"), ("3", "斤", "waiting"), ("60", "公斤", "accepted"), ("30", "公斤", "waiting")],
)
def test_a_ten_fold_jump_or_a_slip_of_the_unit_waits(written: str, unit: str, outcome: str) -> None:
    document = csv(f"编码,库存,单位\nXY-0003,{written},{unit}")
    assert told(document, on_hand=15_000)[0].outcome == outcome


# ---- Totals ----


def test_totals_are_no_goods_and_are_compared() -> None:
    document = csv(
        """
编码,品名,库存,单位
XY-0001,青二荆条,"1,200",斤
XY-0003,莴笋,30,斤
,小 计:,1230,
XY-0004,儿菜,一百二,斤
,本页小计,120,
合计,,1350,
"""
    )
    assert [row.code or row.name for row in document.rows if not row.skipped] == [
        "XY-0001",
        "XY-0003",
        "XY-0004",
    ]
    totals = [each for each in told(document) if each.outcome == "skipped"]
    assert [(each.line, each.code) for each in totals] == [(4, "小 计:"), (6, "本页小计"), (7, "合计")]
    assert document.remarks == []


@pytest.mark.parametrize("label", ["合计", "总计", "共计:", "总共", "总量", "合 计(斤)", "总计:99斤"])
def test_a_total_that_does_not_add_up_is_remarked_on(label: str) -> None:
    (remark,) = csv(f"编码,品名,库存,单位\nXY-0003,莴笋,30,斤\n{label},,99,").remarks
    assert "99" in str(remark) and "30" in str(remark)


def test_a_subtotal_is_compared_with_its_own_rows() -> None:
    document = csv("编码,库存\nXY-0001,10\n小计,10\nXY-0003,30\n小计,40\n总计,40")
    assert document.remarks == []
    (remark,) = csv("编码,库存\nXY-0001,10\n小计,10\nXY-0003,30\n小计,31\n总计,40").remarks
    assert "31" in str(remark) and "30" in str(remark)


# ---- Several tables, and headings that come again ----


def test_two_tables_beside_each_other_are_both_read() -> None:
    document = csv(
        """
编码,品名,库存,单位,,编码,品名,库存,单位
XY-0001,青二荆条,10,斤,,XY-0003,莴笋,30,公斤
XY-0002,红二荆条,20,斤,,,,,
"""
    )
    assert told(document) == [
        Told(2, "XY-0001", "accepted", 5000),
        Told(3, "XY-0002", "accepted", 10_000),
        Told(2, "XY-0003", "accepted", 30_000),
    ]
    numbers = [row.number for row in document.rows]
    assert len(set(numbers)) == 3
    assert [row.letter for row in document.rows] == ["C", "C", "H"]


@pytest.mark.parametrize(
    "header, rows",
    [
        ("品名,编码,库存,品名,编码,库存", "莴笋,XY-0003,30,儿菜,XY-0004,5"),
        ("序号,编码,库存,编码,库存", "1,XY-0003,30,XY-0004,5"),
        ("品名,库存,品名,库存", "莴笋,30,儿菜,5"),
    ],
)
def test_what_stands_before_the_code_belongs_to_its_table(header: str, rows: str) -> None:
    found = told_csv(f"{header}\n{rows}".replace("库存", "库存(斤)"))
    assert [(each.outcome, each.base_units) for each in found] == [("accepted", 15_000), ("accepted", 2500)]


def test_a_header_that_comes_again_on_every_page_is_no_row() -> None:
    text = "编码,品名,库存,单位\nXY-0001,,10,斤\n编码,品名,库存,单位\nXY-0003,,30,斤"
    assert [each.line for each in told_csv(text)] == [2, 4]


def test_a_second_table_below_with_other_columns_is_read_by_its_own_headings() -> None:
    text = """
编码,品名,库存,单位
XY-0001,青二荆条,10,斤
,,,
干货区,,,
品名,编码,单位,库存
莴笋,XY-0003,公斤,30
"""
    found = told_csv(text)
    assert [(each.line, each.code, each.outcome, each.base_units) for each in found] == [
        (2, "XY-0001", "accepted", 5000),
        (4, "干货区", "skipped", None),
        (6, "XY-0003", "accepted", 30_000),
    ]


def test_a_second_table_in_the_same_columns_has_a_unit_of_its_own() -> None:
    text = "编码,品名,库存(斤)\nXY-0001,青二荆条,30\n\n编码,品名,库存(公斤)\nXY-0003,莴笋,30"
    assert told_csv(text) == [Told(2, "XY-0001", "accepted", 15_000), Told(5, "XY-0003", "accepted", 30_000)]


@pytest.mark.parametrize("heading", ["编码,品名,明日到货,单位", "编码,品名,预订,单位"])
def test_rows_below_a_heading_that_is_no_stock_wait_until_the_next_that_is(heading: str) -> None:
    text = f"""
编码,品名,库存,单位
XY-0001,青二荆条,10,斤
{heading}
XY-0003,莴笋,400,斤
XY-0001,青二荆条,200,斤
编码,品名,库存,单位
XY-0004,儿菜,5,斤
"""
    assert [(each.line, each.outcome) for each in told_csv(text)] == [
        (2, "accepted"),
        (4, "waiting"),
        (5, "waiting"),
        (7, "accepted"),
    ]


@pytest.mark.parametrize(
    "heading, unit, outcome",
    [
        ("库存(公斤)", "斤", "waiting"),
        ("库存(斤)", "筐", "waiting"),
        ("库存(斤)", "市斤", "accepted"),
        ("库存(公斤)", "KG", "accepted"),
        ("库存(公斤)", "", "accepted"),
    ],
)
def test_a_heading_and_a_row_that_say_two_units_are_asked_about(
    heading: str, unit: str, outcome: str
) -> None:
    assert told_csv(f"编码,{heading},单位\nXY-0003,30,{unit}")[0].outcome == outcome


@pytest.mark.parametrize(
    "above, base_units",
    [
        ("单位:公斤", 30_000),
        ("单位：斤 盘点人：王会计", 15_000),
        ("计量单位,公斤", 30_000),
        ("白马合作社库存表(单位:kg)", 30_000),
        ("单位:白马合作社", None),
        ("单位:元", None),
        ("单位:斤,单位:公斤", None),
    ],
)
def test_the_unit_above_the_table_holds_for_its_rows(above: str, base_units: int | None) -> None:
    (found,) = told_csv(f"{above}\n编码,品名,库存\nXY-0003,莴笋,30")
    assert found.base_units == base_units


@pytest.mark.parametrize(
    "text",
    [
        "编码,品名,库存(斤)\nXY-0003,莴笋,1,200",
        "编码,品名,库存(斤),备注\nXY-0003,莴笋,1,200,新到",
        "编码,品名,库存(斤),\nXY-0003,莴笋,1,200",
        "编码,品名,库存,单位\nXY-0003,莴笋,1,200,斤",
        "编码;品名;库存;单位\nXY-0003;莴笋;1,250;斤",
    ],
)
def test_a_comma_that_may_be_none_is_refused(text: str) -> None:
    assert told_csv(text) == [Told(2, "XY-0003", "refused", None)]


def test_a_number_beside_the_quantity_is_no_part_of_it() -> None:
    assert told_csv("编码,库存(斤),单价\nXY-0003,1,200") == [Told(2, "XY-0003", "accepted", 500)]


def test_who_signed_the_list_is_no_good() -> None:
    found = told_csv(
        "编码,品名,库存,单位\nXY-0003,莴笋,30,斤\n盘点人:王会计,,审核：李主任,\n制表：王会计,,30,斤"
    )
    assert [each.outcome for each in found] == ["accepted", "skipped", "waiting"]


def test_notes_below_the_table_change_nothing() -> None:
    found = told_csv("编码,品名,库存,单位\nXY-0003,莴笋,30,斤\n注:以上为早上六点数,,,\n制表:王会计,,,")
    assert [each.outcome for each in found] == ["accepted", "skipped", "skipped"]


# ---- Dates ----


def test_the_label_above_the_table_dates_the_file() -> None:
    assert csv("盘点时间,2026/11/23 06:10\n编码,库存\nXY-0003,30").counted_at == MORNING
    assert csv("制表日期:2026年11月23日,\n编码,库存\nXY-0003,30").is_day_only


@pytest.mark.parametrize(
    "text",
    [
        "2026年11月20日白马合作社库存表,\n编码,库存,单位\nXY-0003,30,斤",
        "库存表 2026/11/20,\n编码,库存,单位\nXY-0003,30,斤",
        "编码,11月20日库存,单位\nXY-0003,30,斤",
    ],
)
def test_the_day_in_a_title_dates_the_file(text: str) -> None:
    document = csv(text)
    assert document.counted_at is not None and document.counted_at.date().isoformat() == "2026-11-20"
    assert document.is_day_only


@pytest.mark.parametrize(
    "above", ["11月1日至11月20日库存", "明日 11月24日 可卖", "5-10号棚", "2026年库存表", "电话 0816-5123456"]
)
def test_a_title_that_names_no_one_day_dates_nothing(above: str) -> None:
    assert csv(f"{above},\n编码,库存,单位\nXY-0003,30,斤").counted_at is None


def sheets(*named: tuple[str, list[list[object]]]) -> Document:
    header: list[object] = ["编码", "库存", "单位"]
    grids = [Grid(rows=[*rows[:-1], header, rows[-1]], name=name) for name, rows in named]
    return read_grids(grids, mapping=None, today=TODAY)


def test_of_a_workbook_with_a_sheet_a_day_the_newest_counts_and_the_others_wait() -> None:
    document = sheets(
        ("11月22日", [["XY-0004", 5, "斤"]]),
        ("11.23", [["XY-0003", 30, "斤"]]),
        ("11-21", [["XY-0003", 9, "斤"]]),
    )
    assert document.counted_at is not None and document.counted_at.date() == TODAY
    assert [each.outcome for each in told(document)] == ["waiting", "accepted", "waiting"]
    dated = sheets(
        ("冷库", [["盘点日期", "2026-11-20"], ["XY-0004", 5, "斤"]]),
        ("大棚", [["盘点日期", "2026-11-23"], ["XY-0003", 30, "斤"]]),
    )
    assert [each.outcome for each in told(dated)] == ["waiting", "accepted"]


@pytest.mark.parametrize("name", ["入库明细", "出库", "11月销售流水", "填写示例"])
def test_the_rows_of_a_sheet_that_is_no_stock_by_its_name_wait(name: str) -> None:
    rows: list[list[object]] = [["日期", "品名", "数量", "单位"], ["2026-11-20", "儿菜", 5, "斤"]]
    grids = [
        Grid(rows=[["编码", "库存", "单位"], ["XY-0003", 30, "斤"]], name="库存"),
        Grid(rows=rows, name=name),
    ]
    document = read_grids(grids, mapping=None, today=TODAY)
    assert [each.outcome for each in told(document)] == ["accepted", "waiting"]
    assert document.counted_at is None


@pytest.mark.parametrize(
    "title, heading, outcome",
    [
        ("白马合作社送货单", "数量", "waiting"),
        ("采购订单", "数量", "waiting"),
        ("白马合作社库存(示例数据)", "数量", "accepted"),
        ("入库后库存表", "数量", "accepted"),
        ("配送中心", "库存", "accepted"),
        ("果蔬销售专业合作社", "数量", "accepted"),
    ],
)
def test_a_note_of_delivery_is_no_list_of_stock(title: str, heading: str, outcome: str) -> None:
    assert told_csv(f"{title},,\n编码,{heading},单位\nXY-0003,30,斤")[0].outcome == outcome


@pytest.mark.parametrize(
    "note, outcome",
    [
        ("作废", "waiting"),
        ("预计明天", "waiting"),
        ("明早采", "waiting"),
        ("新到", "accepted"),
        ("", "accepted"),
    ],
)
def test_a_remark_that_it_is_not_there_is_asked_about(note: str, outcome: str) -> None:
    assert told_csv(f"编码,库存,单位,备注\nXY-0003,30,斤,{note}")[0].outcome == outcome


def test_a_table_without_rows_says_so() -> None:
    assert len(csv("编码,库存\n").remarks) == 1


def test_sheets_that_are_named_after_sheds_are_all_of_one_day() -> None:
    document = sheets(("3-1", [["XY-0004", 5, "斤"]]), ("3-2", [["XY-0003", 30, "斤"]]))
    assert document.counted_at is None
    assert [each.outcome for each in told(document)] == ["accepted", "accepted"]


def test_a_label_without_a_year_is_believed_within_a_week_and_asked_about_beyond() -> None:
    near = csv("盘点日期:11月22日,,\n编码,库存,单位\nXY-0003,30,斤")
    assert (near.counted_at.date().isoformat() if near.counted_at else "") == "2026-11-22"
    assert (len(near.remarks), told(near)[0].outcome) == (1, "accepted")
    far = csv("盘点日期:11月3日,,\n编码,库存,单位\nXY-0003,30,斤")
    assert (far.counted_at.date().isoformat() if far.counted_at else "") == "2026-11-03"
    assert told(far)[0].outcome == "waiting"


@pytest.mark.parametrize(
    "written, outcome",
    [
        ("2026/11/23", "accepted"),
        ("2026年11月23日", "accepted"),
        ("20261123", "accepted"),
        ("46349", "accepted"),
        ("46349.0", "accepted"),
        ("2026-11-23 06:10", "accepted"),
        ("", "accepted"),
        ("11月23日", "waiting"),
        ("11-3", "waiting"),
        ("12月30日", "refused"),
        ("2026/13/45", "refused"),
        ("明天", "refused"),
        ("2027-01-01", "refused"),
    ],
)
def test_the_days_of_a_column_are_read_as_the_rules_say(written: str, outcome: str) -> None:
    assert told_csv(f"日期,编码,库存,单位\n{written},XY-0003,30,斤")[0].outcome == outcome


def test_the_newest_day_of_the_column_dates_the_file_and_older_rows_are_asked_about() -> None:
    document = csv("日期,编码,库存,单位\n2026/11/22,XY-0003,30,斤\n2026/11/23,XY-0004,5,斤")
    assert document.counted_at is not None and document.counted_at.date().isoformat() == "2026-11-23"
    assert document.is_day_only
    assert [each.outcome for each in told(document)] == ["waiting", "accepted"]
    timed = csv("盘点时间,编码,库存\n2026/11/23 06:30,XY-0003,3\n2026/11/23 06:10,XY-0004,5")
    assert (timed.counted_at, timed.is_day_only) == (MORNING, False)


def test_a_file_of_more_tables_than_rows_can_be_numbered_in_is_refused() -> None:
    sheets = [
        Grid(rows=[["编码", "库存"] * 100, ["XY-0001", 5] * 100], name=f"{number}") for number in range(21)
    ]
    document = read_grids(sheets[:20], mapping=None, today=TODAY)
    assert max(row.number for row in document.rows) < 2**31
    with pytest.raises(FeedUnreadable):
        read_grids(sheets, mapping=None, today=TODAY)
