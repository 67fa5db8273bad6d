"""What the shop would make of a file, told without touching the books."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.cooperatives.models import Cooperative
from backend.stock.models import Movement, Report, ReportLine, Supply
from tests.backend.stock.shed import MORNING, an_uncounted_supply, as_bytes, as_workbook, count
from tests.produce import a_cooperative

pytestmark = pytest.mark.django_db

KEYS = {"row", "code", "raw", "outcome", "quantity", "unit", "base_units", "message"}


@pytest.fixture
def baima() -> Cooperative:
    cooperative = a_cooperative()
    an_uncounted_supply(
        cooperative=cooperative, code="XY-0001", name="莴笋", container_name="筐", container_units=20_000
    )
    an_uncounted_supply(cooperative=cooperative, code="XY-0002", name="儿菜", container_name="筐")
    an_uncounted_supply(cooperative=cooperative, code="00123", name="豌豆尖")
    count(
        cooperative, {"XY-0001": "100", "XY-0002": "80"}, at=datetime.fromisoformat("2026-11-22T06:00+08:00")
    )
    return cooperative


def told(path: Path, *arguments: str, cooperative: str = "baima") -> dict[str, Any]:
    out = io.StringIO()
    call_command("read_stock_file", str(path), "--cooperative", cooperative, "--json", *arguments, stdout=out)
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


def refused(path: Path, *arguments: str, cooperative: str = "baima") -> dict[str, str]:
    out = io.StringIO()
    with pytest.raises(SystemExit) as exit:
        call_command(
            "read_stock_file", str(path), "--cooperative", cooperative, "--json", *arguments, stdout=out
        )
    assert exit.value.code == 2
    said: dict[str, dict[str, str]] = json.loads(out.getvalue())
    assert set(said) == {"error"}
    return said["error"]


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    rows = [
        ["XY-0001", "莴笋", "2筐5斤", "斤", None],
        ["XY-0002", "儿菜", "半筐", "斤", None],
        [123, "豌豆尖", "-5", "斤", None],
        ["XY-0009", "青笋", 30, "斤", None],
        ["合计", None, 30, None, None],
    ]
    path = tmp_path / "白马 库存.xlsx"
    path.write_bytes(as_bytes(as_workbook(rows)))
    return path


def test_each_line_is_told_with_its_cell_and_nothing_is_written(baima: Cooperative, workbook: Path) -> None:
    before = [model.objects.count() for model in (Report, ReportLine, Movement)]
    shelves = list(Supply.objects.order_by("pk").values())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        said = told(workbook)
    assert [model.objects.count() for model in (Report, ReportLine, Movement)] == before
    assert list(Supply.objects.order_by("pk").values()) == shelves
    asked = [query["sql"].lstrip().split()[0] for query in queries]
    assert not {"INSERT", "UPDATE", "DELETE", "COPY"} & set(asked)
    assert "FOR UPDATE" not in " ".join(query["sql"] for query in queries)

    first, second, third, fourth, total = said["lines"]
    assert all(set(line) == KEYS for line in said["lines"])
    assert first == {
        "row": 5,
        "code": "XY-0001",
        "raw": "2筐5斤",
        "outcome": "accepted",
        "quantity": 85,
        "unit": "斤",
        "base_units": 42_500,
        "message": "",
    }
    assert (second["outcome"], second["row"]) == ("waiting", 6)
    assert second["message"].startswith("第 6 行 C 列：")
    assert "筐" in second["message"]
    assert (third["outcome"], third["base_units"], third["code"]) == ("refused", None, "123")
    assert third["message"].startswith("第 7 行 C 列：")
    assert (fourth["outcome"], "莴笋" in fourth["message"]) == ("waiting", True)
    assert (total["outcome"], total["row"], total["code"]) == ("skipped", 9, "")
    assert said["summary"] == {
        "lines": 5,
        "accepted": 1,
        "waiting": 2,
        "refused": 1,
        "skipped": 1,
        "remarks": [],
        "cooperative": "baima",
        "basis": "shelf",
        "complete": False,
        "counted_at": MORNING.isoformat(),
    }


def test_the_database_itself_refuses_to_be_written_meanwhile(baima: Cooperative, workbook: Path) -> None:
    with CaptureQueriesContext(connection) as queries:
        told(workbook)
    said = [query["sql"] for query in queries]
    assert said.index("SET TRANSACTION READ ONLY") < next(
        place for place, sql in enumerate(said) if "stock_supply" in sql
    )


def test_a_complete_list_says_what_would_be_sold_out(baima: Cooperative, workbook: Path) -> None:
    lines = told(workbook, "--complete", "--basis", "sellable")["lines"]
    assert {line["code"]: line["outcome"] for line in lines if not line["row"]} == {}
    path = workbook.with_name("short.csv")
    path.write_text("编码,库存,单位\nXY-0001,90,斤\n", encoding="utf-8-sig")
    lines = told(path, "--complete")["lines"]
    assert [(line["code"], line["row"], line["base_units"]) for line in lines] == [
        ("XY-0001", 2, 45_000),
        ("XY-0002", 0, 0),
        ("00123", 0, 0),
    ]


@pytest.mark.parametrize(
    "content, code",
    [
        (b"\x89PNG\r\n\x1a\n", "feed_unreadable"),
        ("甲,乙\n丙,丁\n".encode(), "columns_unknown"),
        (b"", "feed_unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_error_and_status_two(
    baima: Cooperative, tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "库存"
    path.write_bytes(content)
    error = refused(path)
    assert error["code"] == code
    assert error["message"]
    assert error.get("headers", ["甲", "乙"]) == ["甲", "乙"]


def test_a_missing_path_an_unknown_cooperative_and_a_wrong_basis_are_told(
    baima: Cooperative, workbook: Path
) -> None:
    assert refused(workbook.with_name("missing.xlsx"))["code"] == "file_missing"
    assert refused(workbook.parent)["code"] == "file_missing"
    assert refused(workbook, cooperative="nobody")["code"] == "cooperative_unknown"
    assert "baima" in refused(workbook, cooperative="nobody")["message"]
    assert refused(workbook, "--basis", "both")["code"] == "basis_unknown"


def test_without_json_it_is_a_table_for_people(baima: Cooperative, workbook: Path) -> None:
    out = io.StringIO()
    call_command("read_stock_file", str(workbook), "--cooperative", "baima", stdout=out)
    shown = out.getvalue()
    assert "第 5 行 C 列" in shown
    assert "85 斤" in shown
    assert shown.strip().splitlines()[-1].count("·") == 3
    errors = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("read_stock_file", "/nowhere", "--cooperative", "baima", stderr=errors)
    assert "/nowhere" in errors.getvalue()
