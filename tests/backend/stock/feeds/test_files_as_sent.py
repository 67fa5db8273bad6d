"""The sample files of fixtures/files, read with the demo shop's goods: each row ends as the rules for it say."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from backend.common.units import Counting
from backend.stock.decide import Books, decide
from backend.stock.feeds import FILE, ColumnsUnknown, Document, read_document
from backend.stock.matching import Catalogue, Known, Matches
from tests.backend.stock.feeds.reading import COUNT, TODAY, Told, assert_the_rows_come_again
from tests.backend.stock.shed import MORNING

FIXTURES = Path(__file__).resolve().parents[4] / "fixtures"


def read(name: str, **how: object) -> Document:
    raw = (FIXTURES / "files" / name).read_bytes()
    return read_document(format=FILE, raw=raw, filename=name, today=TODAY, **how)  # type: ignore[arg-type]  # a mapping, or nothing


def told(document: Document, *, cooperative: str) -> list[Told]:
    with (FIXTURES / "supplies.csv").open(encoding="utf-8") as file:
        supplies = [line for line in csv.DictReader(file) if line["cooperative"] == cooperative]
    catalogue = Catalogue(
        [Known(pk, line["code"], line["name"]) for pk, line in enumerate(supplies, start=1)]
    )
    books = {
        pk: Books(
            pk,
            Counting(line["base_unit"], line["container_name"], int(line["container_units"] or 0) or None),
            on_hand=0,
            allocated=0,
        )
        for pk, line in enumerate(supplies, start=1)
    }
    verdicts = decide(matches=Matches(rows=document.rows, catalogue=catalogue), books=books, count=COUNT)
    return [
        Told(each.row.line, each.row.code or each.row.name, each.outcome.value, each.base_units)
        for each in verdicts
    ]


def test_a_daily_list_in_gb18030() -> None:
    document = read("baima-daily.csv")
    assert document.counted_at == MORNING
    assert document.remarks == []
    assert told(document, cooperative="baima") == [
        Told(5, "XY-0001", "accepted", 36_250),
        Told(6, "XY-0004", "accepted", 60_000),
        Told(7, "XY-0005", "waiting", 15_000),
        Told(8, "XY-0006", "skipped", None),
        Told(9, "XY-0007", "accepted", 0),
        Told(10, "合计", "skipped", None),
        Told(11, "制表:王会计", "skipped", None),
    ]


def test_two_tables_side_by_side() -> None:
    assert told(read("fuxing-side-by-side.csv"), cooperative="fuxing") == [
        Told(3, "XY-0002", "accepted", 600_000),
        Told(4, "XY-0008", "accepted", 22_500),
        Told(3, "XY-0003", "waiting", 15_000),
        Told(4, "XY-0009", "waiting", 5000),
    ]


@pytest.mark.parametrize(
    "name, mapping",
    [
        ("baima-daily.csv", None),
        ("fuxing-side-by-side.csv", None),
        ("lihua-from-a-chat.tsv", {"品名": "name", "还剩好多": "quantity", "哪天数的": "date"}),
    ],
)
def test_the_rows_can_be_gone_through_again(name: str, mapping: dict[str, str] | None) -> None:
    assert_the_rows_come_again(read(name, mapping=mapping))


def test_a_list_copied_from_a_chat_with_headings_of_its_own() -> None:
    with pytest.raises(ColumnsUnknown) as asked:
        read("lihua-from-a-chat.tsv")
    assert asked.value.headers == ("品名", "还剩好多", "哪天数的")
    mapping = {"品名": "name", "还剩好多": "quantity", "哪天数的": "date"}
    document = read("lihua-from-a-chat.tsv", mapping=mapping)
    assert [(each.line, each.code, each.outcome) for each in told(document, cooperative="lihua")] == [
        (2, "枇杷", "waiting"),
        (3, "青脆李", "refused"),
        (4, "草莓", "accepted"),
    ]
