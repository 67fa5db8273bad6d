"""李婶 takes along what the shop holds of her."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from saleor.account.models import User

from backend.catalogue.models import Wait
from backend.ordering.export import export_of
from backend.ordering.models import Claim
from backend.ordering.services import place_order
from tests import produce
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def order(shed: produce.Shed, user: User) -> None:
    request = a_request(
        shed, basket=produce.a_basket({shed.variant: 2}, user=user), note="放门口", gift_note="生日快乐"
    )
    place_order(request=request, user=user, now=NOW)


def test_the_file_holds_all_of_hers_and_nothing_of_anybody_else() -> None:
    shed = produce.a_shed()
    li = produce.a_person(email="li@buyer.example", first_name="秀英", last_name="李")
    wang = produce.a_person(email="wang@buyer.example")
    order(shed, li)
    order(shed, wang)
    produce.a_basket({shed.variant: 3}, user=li)
    Wait.objects.create(variant=shed.variant, user=li, email=li.email, asked_at=NOW)
    claim = Claim.objects.create(
        order_line=li.orders.get().lines.get(),
        packs=1,
        problem=Claim.Problem.SPOILT,
        words="烂了一半",
        idempotency_key="key-of-a-claim",
        request_sha256="",
        opened_at=NOW,
    )
    claim.photos.create(position=0, jpeg=b"jpeg", width=1, height=1)
    with translation.override("zh-hans"):
        facts = export_of(user=li, now=NOW)
    assert facts["账户"]["邮箱"] == "li@buyer.example"
    [mine] = facts["订单"]
    [line] = mine["买了什么"]
    bought = {"品名": "莴笋", "规格": "1000 g", "数量": 2, "单价": "7.00"}
    assert bought.items() <= line.items()
    assert line["包赔申请"][0]["买家说明"] == "烂了一半"
    assert line["包赔申请"][0]["照片"][0]["jpeg"] == "anBlZw=="
    assert mine["送到"]["电话"] == "+8613800138000"
    assert mine["下单记录"]["礼品卡片"] == "生日快乐"
    assert mine["付款"][0]["金额"] == "14.00"
    [basket] = facts["菜篮"]
    assert basket["买了什么"][0]["数量"] == 3
    assert facts["到货通知"][0]["品名"] == "莴笋"
    assert len(facts["收货地址"]) == 1
    written = json.dumps(facts, ensure_ascii=False)
    assert "wang@buyer" not in written
    for secret in (
        li.password,
        str(li.orders.get().token),
        li.orders.get().placement.idempotency_key,
        claim.idempotency_key,
    ):
        assert secret not in written


def test_ten_orders_take_as_many_queries_as_one() -> None:
    shed = produce.a_shed(on_hand=100_000)
    li = produce.a_person(email="li@buyer.example")

    def queries() -> int:
        order(shed, li)
        with CaptureQueriesContext(connection) as captured:
            export_of(user=li, now=NOW)
        return len(captured)

    first = queries()
    for _ in range(3):
        order(shed, li)
    assert queries() == first
