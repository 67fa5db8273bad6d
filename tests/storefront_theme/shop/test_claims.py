"""The order's page after the hand-over: where it is, from which lots it was packed, and a claim for what was spoilt."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from saleor.account.models import User
from saleor.order.models import Order
from saleor.payment import gateway

from backend.ordering.claims import accept_claim, refuse_claim
from backend.ordering.models import Claim
from backend.ordering.payouts import pay_claim
from backend.ordering.services import place_order
from backend.provenance.models import HarvestLot
from backend.provenance.services import recall_lots
from storefront_theme.shop.order_way import Step, way_of
from tests import produce
from tests.backend.ordering.test_claims import a_handed_over_order, a_photo, open_one
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def order() -> Order:
    shed = produce.a_shed()
    produce.a_lot(shed, code="BM-0128")
    return a_handed_over_order(shed=shed)


@pytest.fixture
def staff() -> User:
    return produce.a_person(email="zhao@town.example", is_staff=True)


def page_of(client: Client, order: Order) -> str:
    return client.get(f"/orders/{order.token}/").content.decode()


def said(page: str) -> str:
    """What a reader sees, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def form_of(client: Client, order: Order, **changes: Any) -> dict[str, Any]:
    """What 李婶 fills in after the page was shown to her."""
    page = client.get(f"/orders/{order.token}/claim/").content.decode()
    line = re.search(r'name="line" value="([^"]+)"', page)
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert line and key
    return {
        "key": key[1],
        "line": line[1],
        "packs": "2",
        "problem": "SPOILT",
        "words": "两根烂了心",
        "photos": [a_photo(), a_photo(colour="green")],
        **changes,
    }


def send(client: Client, order: Order, form: dict[str, Any]) -> Any:
    for photo in form["photos"]:
        photo.seek(0)
    return client.post(f"/orders/{order.token}/claim/", form)


# ---- Where it is ----------------------------------------------------------------------------------------------------


def test_an_order_is_placed_then_packed_then_handed_over(client: Client) -> None:
    shed = produce.a_shed()
    order = place_order(request=a_request(shed), user=None, now=NOW)
    assert "已下单，收到货再付款" in page_of(client, order)
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        page = page_of(client, order)
    assert "正在采收打包" in page
    assert re.search(r'class="reached" aria-current="step">\s*<b>采收打包</b>', page)
    produce.hand_over(order)
    page = page_of(client, order)
    assert re.search(r"<h1>已交付</h1>", page)
    assert re.search(r'class="reached" aria-current="step">\s*<b>已交付</b>', page)


def test_a_cancelled_order_has_no_stations_ahead() -> None:
    order = {
        "status": "CANCELED",
        "created": "2026-11-23T06:10:00+08:00",
        "placement": None,
        "fulfillments": [],
    }
    assert [(step.name, step.is_now) for step in way_of(order)] == [("已下单", False), ("已取消", True)]


def test_a_part_that_is_handed_over_does_not_end_the_way() -> None:
    order = {
        "status": "PARTIALLY_FULFILLED",
        "created": "2026-11-23T06:10:00+08:00",
        "placement": {"harvestStarts": "2999-01-01T20:00:00+08:00"},
        "fulfillments": [
            {"status": "FULFILLED", "created": "2026-11-24T06:00:00+08:00"},
            {"status": "CANCELED", "created": "2026-11-24T09:00:00+08:00"},
        ],
    }
    assert way_of(order)[1:] == [
        Step(name="采收打包", at="", is_reached=True, is_now=True),
        Step(name="已交付", at="", is_reached=False, is_now=False),
    ]


# ---- Lots -----------------------------------------------------------------------------------------------------------


def test_a_line_names_its_lot_and_leads_to_its_trace_page_and_a_recall_stands_first(
    client: Client, order: Order
) -> None:
    lot = HarvestLot.objects.get()
    page = page_of(client, order)
    assert "批次 BM-0128" in said(page)
    assert f'href="/t/{lot.trace_code}/"' in page
    assert "召回" not in page
    HarvestLot.objects.update(recall_reason="农残超标，我们上门取回")
    recall_lots(lots=HarvestLot.objects.all(), now=NOW)
    page = page_of(client, order)
    assert "批次 BM-0128 已召回，请不要食用。" in page
    assert "农残超标，我们上门取回" in page
    assert page.index("请不要食用") < page.index('class="lines"')


# ---- A claim --------------------------------------------------------------------------------------------------------


def test_a_claim_goes_from_the_orders_page_to_the_staff_and_back(
    client: Client, order: Order, staff: User
) -> None:
    page = page_of(client, order)
    assert f"/orders/{order.token}/claim/?line=" in page
    answer = send(client, order, form_of(client, order))
    assert answer.status_code == 302
    assert answer["Location"] == f"/orders/{order.token}/"
    claim = Claim.objects.get()
    assert (claim.packs, claim.problem, claim.words, claim.photos.count()) == (2, "spoilt", "两根烂了心", 2)
    seen = said(page_of(client, order))
    assert "包赔申请：核对中" in seen
    assert "两根烂了心" in seen
    # A second claim about it has to wait.
    assert f"/orders/{order.token}/claim/?line=" not in page_of(client, order)

    accept_claim(claim_pk=claim.pk, amount=Decimal("9.90"), reason="对不起", staff=staff, now=NOW)
    seen = said(page_of(client, order))
    assert "包赔申请：同意，退 ¥9.90" in seen
    assert "回复：对不起" in seen
    assert "待退 ¥9.90" in seen
    pay_claim(claim_pk=claim.pk, now=NOW)
    seen = said(page_of(client, order))
    assert "已退 ¥9.90" in seen
    assert "待退" not in seen
    # What she paid is what she paid.
    assert "已付" in seen


def test_what_is_not_paid_yet_is_less_by_what_is_granted(client: Client, staff: User) -> None:
    order = a_handed_over_order(paid=False)
    claim = open_one(order)
    accept_claim(claim_pk=claim.pk, amount=None, staff=staff, now=NOW)
    seen = said(page_of(client, order))
    assert "包赔抵扣 − ¥7.00" in seen.replace("−¥", "− ¥")
    assert re.search(r"应付 ¥ 14 \.00", seen), seen


def test_what_was_collected_less_is_paid(client: Client, staff: User) -> None:
    order = a_handed_over_order(paid=False)
    claim = open_one(order)
    accept_claim(claim_pk=claim.pk, amount=None, staff=staff, now=NOW)
    gateway.capture(order.get_last_payment(), amount=Decimal("14.00"))
    assert "待退 ¥7.00" in said(page_of(client, order))
    pay_claim(claim_pk=claim.pk, now=NOW)
    seen = said(page_of(client, order))
    assert "已退 ¥7.00" in seen
    assert "应付" not in seen


def test_a_refusal_says_why(client: Client, order: Order, staff: User) -> None:
    claim = open_one(order)
    refuse_claim(claim_pk=claim.pk, reason="照片上是别的菜", staff=staff, now=NOW)
    seen = said(page_of(client, order))
    assert "包赔申请：没有通过" in seen
    assert "照片上是别的菜" in seen


def test_a_second_tap_is_no_second_claim(client: Client, order: Order) -> None:
    form = form_of(client, order)
    first, second = send(client, order, form), send(client, order, form)
    assert first["Location"] == second["Location"]
    assert Claim.objects.count() == 1


def test_a_form_that_was_cut_off_among_its_photos_opens_no_claim_and_the_whole_one_does(
    client: Client, order: Order
) -> None:
    """As a browser cuts off the first form when its button is tapped again."""
    page = client.get(f"/orders/{order.token}/claim/").content.decode()
    names = re.findall(r'<(?:input|textarea)[^>]* name="([^"]+)"', page)
    form = form_of(client, order)
    in_order = {name: form[name] for name in dict.fromkeys(names) if name in form}
    for photo in form["photos"]:
        photo.seek(0)
    body = encode_multipart(BOUNDARY, in_order)
    # In the second photo: Django takes the first for all that there is.
    end = body.rindex(b'name="photos"') + 300
    address = f"/orders/{order.token}/claim/"
    cut = client.generic("POST", address, body[:end], content_type=MULTIPART_CONTENT)
    assert cut.status_code == 422 and not Claim.objects.exists()
    whole = client.generic("POST", address, body, content_type=MULTIPART_CONTENT)
    assert whole.status_code == 302 and Claim.objects.get().photos.count() == 2


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"words": ""}, "请用一句话说明。"),
        ({"packs": "4"}, "这样菜最多填 3 份。"),
        ({"packs": "viel"}, "请填写份数。"),
        ({"packs": ""}, "请填写份数。"),
        ({"problem": "BORING"}, "请选择出了什么问题。"),
        ({"line": ""}, "请选择是哪样菜。"),
        ({"line": "T3JkZXJMaW5lOjA="}, "请选择是收到的哪样菜。"),
        ({"photos": []}, "请选择 1 到 4 张照片。"),
        ({"photos": [a_photo() for _ in range(5)]}, "最多选 4 张照片。"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(
    client: Client, order: Order, changes: dict[str, Any], text: str
) -> None:
    form = form_of(client, order, **changes)
    answer = send(client, order, form)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert text in page
    if "words" not in changes:
        assert "两根烂了心</textarea>" in page
    assert f'name="key" value="{form["key"]}"' in page
    assert not Claim.objects.exists()


def test_a_page_that_calls_itself_a_photo_is_refused(client: Client, order: Order) -> None:
    page = SimpleUploadedFile("a.jpg", b"<html><script>alert(1)</script></html>", "image/jpeg")
    answer = send(client, order, form_of(client, order, photos=[page]))
    assert answer.status_code == 422
    assert "JPEG、PNG" in answer.content.decode()
    assert not Claim.objects.exists()


def test_a_stranger_with_the_address_of_a_buyers_order_sees_no_claim_and_no_photo() -> None:
    li = produce.a_person(email="li@buyer.example")
    order = a_handed_over_order(user=li)
    claim = open_one(order, user=li)
    photo = f"/orders/{order.token}/claim/{claim.photos.get().pk}.jpg"
    hers, strangers = Client(), Client()
    hers.post("/account/sign-in/", {"email": "li@buyer.example", "password": "secret-of-the-test"})
    assert "两根烂了心" in page_of(hers, order)
    assert hers.get(photo).status_code == 200
    assert "两根烂了心" not in page_of(strangers, order)
    assert strangers.get(photo).status_code == 404
    # The form leads back to the order.
    assert strangers.get(f"/orders/{order.token}/claim/")["Location"] == f"/orders/{order.token}/"


def test_a_photo_is_a_picture_that_runs_nothing_and_is_kept_nowhere(client: Client, order: Order) -> None:
    photo = open_one(order).photos.get()
    answer = client.get(f"/orders/{order.token}/claim/{photo.pk}.jpg")
    assert answer.content == bytes(photo.jpeg)
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in answer["Cache-Control"]


def test_nobody_claims_after_the_time(client: Client, order: Order) -> None:
    form = form_of(client, order)
    with time_machine.travel(NOW + timedelta(days=9)):
        assert f"/orders/{order.token}/claim/?line=" not in page_of(client, order)
        answer = send(client, order, form)
    assert answer.status_code == 422
    assert "已过申请时间" in answer.content.decode()
    assert not Claim.objects.exists()


def test_an_orders_page_asks_as_often_for_two_lines_as_for_eight() -> None:
    shed = produce.a_shed()

    def asked(goods: int) -> int:
        variants = []
        for number in range(goods):
            product = produce.a_product(name=f"菜{goods}-{number}", slug=f"cai-{goods}-{number}")
            produce.a_supply(
                cooperative=shed.cooperative, product=product, on_hand=5_000, code=f"XY-{goods}-{number}"
            )
            produce.a_lot(
                produce.Shed(shed.cooperative, product, shed.supply, shed.delivery),
                code=f"L-{goods}-{number}",
            )
            variants.append(product.variants.get())
        basket = produce.a_basket(dict.fromkeys(variants, 1))
        order = place_order(request=a_request(shed, basket=basket), user=None, now=NOW)
        produce.hand_over(order)
        for line in order.lines.all()[: goods // 2]:
            open_one(order, line_pk=line.pk)
        with CaptureQueriesContext(connection) as queries:
            page = page_of(Client(), order)
        assert page.count('href="/t/') == goods
        return len(queries)

    asked(1)
    few, many = asked(2), asked(8)
    assert few == many
    assert few <= 24
