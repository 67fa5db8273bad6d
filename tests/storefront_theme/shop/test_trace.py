"""What a label leads to: its lot, and whether that was recalled; and nothing for who guesses."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import segno
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.test import Client

from backend.provenance.models import HarvestLot, new_trace_code
from backend.provenance.services import ReasonMissing, recall_lots
from tests import produce

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture
def shed() -> produce.Shed:
    return produce.a_shed()


@pytest.fixture
def lot(shed: produce.Shed) -> HarvestLot:
    lot = HarvestLot.objects.create(
        cooperative=shed.cooperative,
        product=shed.product,
        code="BM-1122",
        plot="东坡三号地",
        quantity_g=120_000,
        harvested_on="2026-11-22",
        best_before="2026-11-29",
        certificate_number="CN-51-000123",
        certificate_issuer="白马蔬菜专业合作社",
        certificate_issued_on="2026-11-22",
        certificate_basis="own_test",
        certificate_contact="0816-555 0101",
    )
    shed.supply.lot = lot
    shed.supply.save()
    return lot


def text_of(answer: Any) -> str:
    main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def test_a_label_tells_field_day_certificate_and_cooperative(client: Client, lot: HarvestLot) -> None:
    answer = client.get(f"/t/{lot.trace_code}/")
    text = text_of(answer)
    for said in (
        "莴笋",
        "白马蔬菜专业合作社",
        "东坡三号地",
        "120 kg",
        "11月22日",
        "CN-51-000123",
        "自行检测",
        "0816-555 0101",
        "BM-1122",
    ):
        assert said in text
    page = answer.content.decode()
    assert '<meta name="robots" content="noindex">' in page
    assert "召回" not in text
    assert re.search(r'"@type": "IndividualProduct".*"serialNumber": "BM-1122"', page)


def test_the_good_leads_to_its_lot(client: Client, lot: HarvestLot) -> None:
    assert f'href="/t/{lot.trace_code}/"' in client.get("/p/wosun/").content.decode()


def test_a_recalled_lot_says_so_first(client: Client, lot: HarvestLot) -> None:
    lot.recall_reason = "农残复检不合格，请停止食用。"
    lot.recall_reason_en = "Residues above the limit. Do not eat it."
    lot.save()
    assert recall_lots(lots=HarvestLot.objects.all(), now=NOW) == 1
    page = client.get(f"/t/{lot.trace_code}/").content.decode()
    main = page.partition("<main")[2]
    assert re.search(r"<h1[^>]*>这一批莴笋已召回</h1>", main)
    assert main.count("<h1") == 1
    assert main.index("农残复检不合格") < main.index("东坡三号地")
    assert "<title>" in page and "已召回" in page.partition("</title>")[0]
    assert "去看这种菜" not in main
    english = client.get(f"/t/{lot.trace_code}/?lang=en").content.decode()
    assert "Residues above the limit. Do not eat it." in english


def test_a_lot_of_a_good_that_is_no_longer_sold_is_still_told(
    client: Client, shed: produce.Shed, lot: HarvestLot
) -> None:
    shed.product.is_published = False
    shed.product.save()
    answer = client.get(f"/t/{lot.trace_code}/")
    assert answer.status_code == 200
    assert "莴笋" in text_of(answer)
    assert 'href="/p/wosun/"' not in answer.content.decode()


# ---- Recall ----------------------------------------------------------------------------------------------------------


def test_a_recall_without_a_reason_recalls_nothing(shed: produce.Shed, lot: HarvestLot) -> None:
    other = HarvestLot.objects.create(
        cooperative=shed.cooperative,
        product=shed.product,
        code="BM-1123",
        harvested_on="2026-11-22",
        best_before="2026-11-29",
        recall_reason="坏了",
    )
    with pytest.raises(ReasonMissing, match="BM-1122"):
        recall_lots(lots=HarvestLot.objects.all(), now=NOW)
    other.refresh_from_db()
    assert other.recalled_at is None


def test_a_lot_is_recalled_once(lot: HarvestLot) -> None:
    HarvestLot.objects.update(recall_reason="坏了")
    assert recall_lots(lots=HarvestLot.objects.all(), now=NOW) == 1
    assert recall_lots(lots=HarvestLot.objects.all(), now=datetime(2026, 11, 24, tzinfo=UTC)) == 0
    lot.refresh_from_db()
    assert lot.recalled_at == NOW


def test_no_row_says_recalled_without_saying_why(lot: HarvestLot) -> None:
    lot.recalled_at = NOW
    with pytest.raises(ValidationError):
        lot.validate_constraints()
    with pytest.raises(IntegrityError):
        lot.save()


def test_the_back_office_recalls(client: Client, lot: HarvestLot) -> None:
    produce.a_person(email="admin@x.example", is_staff=True, is_superuser=True)
    client.login(username="admin@x.example", password="secret-of-the-test")
    chosen = {"action": "recall", "_selected_action": [lot.pk]}
    page = client.post("/admin/provenance/harvestlot/", chosen, follow=True).content.decode()
    assert "批次 BM-1122：请先写清召回原因" in page
    HarvestLot.objects.update(recall_reason="坏了")
    page = client.post("/admin/provenance/harvestlot/", chosen, follow=True).content.decode()
    assert "已召回 1 个批次" in page
    lot.refresh_from_db()
    assert lot.recalled_at is not None


# ---- Codes -----------------------------------------------------------------------------------------------------------


def test_codes_are_fifteen_random_letters_of_sixteen() -> None:
    codes = {new_trace_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(re.fullmatch(r"[0-9a-f]{15}", code) for code in codes)
    # Each place holds each letter: 60 bits, and no counter or clock among them.
    for place in range(15):
        assert {code[place] for code in codes} == set("0123456789abcdef")


@pytest.mark.parametrize("code", ["000000000000000", "abc", "BM-1122", "%00", "'", "0" * 400, "𝟘" * 15])
def test_a_code_that_nobody_has_is_not_found_and_can_be_corrected(
    client: Client, lot: HarvestLot, code: str
) -> None:
    answer = client.get(f"/t/{code}/")
    assert answer.status_code == 404
    assert "没有找到这个溯源码" in text_of(answer)
    assert 'name="code"' in answer.content.decode()


def test_a_code_may_be_typed_as_it_is_printed(client: Client, lot: HarvestLot) -> None:
    assert "标签上的溯源码" in text_of(client.get("/t/"))
    typed = f"{lot.trace_code[:5].upper()} {lot.trace_code[5:10]}-{lot.trace_code[10:]}"
    answer = client.get("/t/", {"code": typed})
    assert answer.status_code == 302
    assert answer["Location"] == f"/t/{lot.trace_code}/"
    assert client.get(f"/t/{lot.trace_code.upper()}/")["Location"] == f"/t/{lot.trace_code}/"


def test_guessing_is_slow_and_a_right_code_is_not_counted(
    client: Client, lot: HarvestLot, settings: Any
) -> None:
    settings.ATTEMPTS = {**settings.ATTEMPTS, "trace_code_from_address": (3, 60)}
    for _ in range(5):
        assert client.get(f"/t/{lot.trace_code}/").status_code == 200
    for number in range(3):
        assert client.get(f"/t/{number:015}/").status_code == 404
    refused = client.get("/t/000000000000009/")
    assert refused.status_code == 429
    assert "输错的次数太多了" in text_of(refused)
    # Another visitor is not kept from the label on his own box.
    assert client.get(f"/t/{lot.trace_code}/", REMOTE_ADDR="203.0.113.9").status_code == 200


# ---- The label -------------------------------------------------------------------------------------------------------


def test_the_label_is_a_picture_of_the_address(client: Client, lot: HarvestLot) -> None:
    answer = client.get(f"/t/{lot.trace_code}/qr.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert "immutable" in answer["Cache-Control"]
    drawn = answer.content.decode()
    assert "<script" not in drawn
    address = f"{settings.PUBLIC_URL}/t/{lot.trace_code}/"
    same = segno.make(address, error="m").svg_inline(border=4, dark="#1f2a24", light="#ffffff", omitsize=True)
    # The path of the dark modules: other addresses have another one.
    assert re.findall(r' d="([^"]+)"', same)[-1] in drawn


@pytest.mark.parametrize("code", ["abc", "0" * 16, "ABCDEF012345678"])
def test_there_is_no_label_for_what_is_no_code(client: Client, code: str) -> None:
    assert client.get(f"/t/{code}/qr.svg").status_code == 404


def test_a_label_asks_the_database_nothing(
    client: Client, lot: HarvestLot, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        client.get(f"/t/{lot.trace_code}/qr.svg")


def test_the_page_of_a_lot_asks_little(
    client: Client, lot: HarvestLot, django_assert_num_queries: Any
) -> None:
    client.get(f"/t/{lot.trace_code}/")
    with django_assert_num_queries(9):
        client.get(f"/t/{lot.trace_code}/")
