"""Two hundred buyers, fifty boxes, the real shop: gunicorn, PostgreSQL, Redis, worker, beat and arriving feeds."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import graphene
import httpx
import psycopg
import pytest

from tests.shop import Shop

BUYERS = 200
BOXES = 50

PREPARE = """
from tests import produce
from backend.cooperatives.models import Membership
from saleor.account.models import User
cooperative = produce.a_cooperative(slug="li-shed", name="李家坝合作社")
User.objects.create_user("counter@shed.example", "secret-of-the-test")
Membership.objects.create(cooperative=cooperative, user=User.objects.get(email="counter@shed.example"))
product = produce.a_product(name="最后五十箱", slug="last-boxes", packs={1000: "20"})
produce.a_supply(cooperative=cooperative, product=product, on_hand=%(grams)d, code="XY-9000")
method = produce.a_delivery(name="自提点")
variant = product.variants.get()
baskets = [str(produce.a_basket({variant: 1}).token) for _ in range(%(buyers)d)]
print("PREPARED", method.pk, *baskets)
"""

PLACE = """mutation($input: OrderPlaceInput!) { orderPlace(input: $input) { order { number } errors { code } } }"""
SIGN_IN = """mutation($e: String!, $p: String!) { tokenCreate(email: $e, password: $p) { token } }"""
SUBMIT = """mutation($input: StockReportInput!) { stockReportSubmit(input: $input) {
  report { status accepted } errors { code } } }"""

Post = Callable[..., dict[str, Any]]


@pytest.fixture
def post(fresh_shop: Shop) -> Any:
    with httpx.Client(
        base_url=fresh_shop.url, timeout=120, limits=httpx.Limits(max_connections=64)
    ) as client:

        def run(query: str, token: str = "", **variables: Any) -> dict[str, Any]:
            headers = {"Authorization": f"JWT {token}"} if token else {}
            response = client.post(
                "/graphql/", json={"query": query, "variables": variables}, headers=headers
            )
            assert response.status_code == 200, (response.status_code, response.text[:500])
            answer: dict[str, Any] = response.json()
            assert "errors" not in answer, answer
            data: dict[str, Any] = answer["data"]
            return data

        yield run


def an_order(token: str, method: str) -> dict[str, Any]:
    return {
        "checkoutToken": token,
        "idempotencyKey": str(uuid4()),
        "email": f"buyer-{uuid4().hex[:8]}@buyer.example",
        "shippingAddress": {
            "firstName": "秀英",
            "lastName": "李",
            "streetAddress1": "白马路 1 号",
            "city": "绵阳市",
            "cityArea": "游仙区",
            "countryArea": "四川省",
            "postalCode": "621000",
            "country": "CN",
            "phone": "+8613800138000",
        },
        "shippingMethod": method,
        "paymentGateway": "pay_on_collection",
        "acceptFreshRule": True,
    }


@pytest.mark.timeout(600)
def test_two_hundred_buyers_get_fifty_boxes(fresh_shop: Shop, post: Post) -> None:
    script = fresh_shop.directory / "prepare.py"
    Path(script).write_text(PREPARE % {"grams": BOXES * 1000, "buyers": BUYERS})
    printed = fresh_shop.manage("shell", "--command", f"exec(open({str(script)!r}).read())")
    method_pk, *baskets = printed.split("PREPARED")[1].split()
    method = graphene.Node.to_global_id("ShippingMethod", method_pk)
    token = post(SIGN_IN, e="counter@shed.example", p="secret-of-the-test")["tokenCreate"]["token"]
    stop = threading.Event()
    counted: Counter[str] = Counter()

    def keep_counting() -> None:
        while not stop.is_set():
            report = {
                "cooperative": "li-shed",
                "basis": "SHELF",
                "countedAt": datetime.now(UTC).isoformat(),
                "idempotencyKey": str(uuid4()),
                "lines": [{"code": "XY-9000", "quantity": BOXES, "unit": "公斤"}],
            }
            answer = post(SUBMIT, token=token, input=report)["stockReportSubmit"]
            counted[json.dumps(answer["errors"]) if answer["errors"] else answer["report"]["status"]] += 1

    def buy(checkout: str) -> str:
        placed = post(PLACE, input=an_order(checkout, method))["orderPlace"]
        return "SOLD" if placed["order"] else placed["errors"][0]["code"]

    with ThreadPoolExecutor(max_workers=32) as pool:
        feed = threading.Thread(target=keep_counting)
        feed.start()
        try:
            outcomes = Counter(pool.map(buy, baskets))
        finally:
            stop.set()
            feed.join()

    assert outcomes == {"SOLD": BOXES, "INSUFFICIENT_STOCK": BUYERS - BOXES}
    assert set(counted) == {"APPLIED"} and counted["APPLIED"] > 3
    with psycopg.connect(fresh_shop.database_url) as connection:
        on_hand, allocated = connection.execute(
            "SELECT on_hand, allocated FROM stock_supply WHERE code = 'XY-9000'"
        ).fetchone() or (None, None)
    assert (on_hand, allocated) == (BOXES * 1000, BOXES * 1000)
    assert "Every stock figure is what the ledger says." in fresh_shop.manage("audit_stock")
