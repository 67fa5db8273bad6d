"""Whatever is asked, nothing breaks and nobody hears of somebody else: random operations over the whole schema.

Twenty seconds in `make test`, as long as one likes in `make soak`. A failure names the seed and the operation.
"""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Callable
from typing import Any

import graphene
import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
)
from graphql.type.definition import get_named_type
from saleor.checkout.models import Checkout
from saleor.menu.models import Menu, MenuItem
from saleor.order.models import Order
from saleor.page.models import Page
from saleor.product.models import Collection, Product

from backend.api.schema import schema
from backend.stock.models import Report
from backend.stock.services import SubmittedLine, submit_report
from backend.stock.words import Basis
from tests import produce

SECONDS = 20
SHORT_SEED = 20261123
BODIES_IN_SHORT = 200
CANARY = "金丝雀"
"""Stands in every row that belongs to 王会计's cooperative, to 周叔, or to nobody yet: no stranger must read it."""

DEPTH = 4
WORDS = (
    "",
    "0",
    "wosun",
    "baima",
    "李",
    "\u0000",
    "\ud7ff",
    "%",
    "'",
    "a" * 300,
    "2026-11-23",
    "CN",
    "-1",
    "\n",
    "null",
)
# What a cursor may be: the values that the list is sorted by, as JSON in base64. These are of other lists, or of none.
CURSORS = tuple(
    base64.b64encode(text.encode()).decode()
    for text in (
        '["wosun"]',
        '["wosun", "1"]',
        "[null]",
        "[]",
        "{}",
        "3",
        "null",
        '["\\u0000"]',
        '[["x"]]',
        "[1e999]",
    )
)
NUMBERS = (0, 1, -1, 2, 3, 100, 2**31 - 1, -(2**31))


class Questioner:
    """Makes operations. One seed, one sequence of them."""

    def __init__(self, *, seed: int, ids: list[str]) -> None:
        self.random = random.Random(seed)
        self.ids = ids
        self.fields = [
            (root, field)
            for root in ("Query", "Mutation")
            for field in sorted(schema.get_type_map()[root].fields)
        ]

    def operation(self) -> tuple[str, str]:
        """(root field, document)."""
        root, name = self.random.choice(self.fields)
        field = schema.get_type_map()[root].fields[name]
        kind = "query" if root == "Query" else "mutation"
        return name, f"{kind} {{ {self._field(name, field, DEPTH)} }}"

    def _field(self, name: str, field: Any, depth: int) -> str:
        arguments = ", ".join(
            f"{key}: {self._value(argument.type, key, 3)}"
            for key, argument in field.args.items()
            if isinstance(argument.type, GraphQLNonNull) or self.random.random() < self._wish(key)
        )
        return f"{name}{f'({arguments})' if arguments else ''}{self._selection(get_named_type(field.type), depth)}"

    @staticmethod
    def _wish(key: str) -> float:
        # A list without `first` is refused by its cost, and then nothing has been tried.
        return {"first": 0.9, "last": 0.05}.get(key, 0.35)

    def _selection(self, of: Any, depth: int) -> str:
        if isinstance(of, (GraphQLUnionType, GraphQLInterfaceType)):
            inside = "".join(
                f" ... on {each.name}{self._selection(each, depth - 1)}"
                for each in self.random.sample(
                    schema.get_possible_types(of), k=min(2, len(schema.get_possible_types(of)))
                )
                if depth > 1
            )
            return f" {{ __typename{inside} }}"
        if not isinstance(of, GraphQLObjectType):
            return ""
        plain = [name for name, field in of.fields.items() if not self._is_composite(field)]
        deep = [name for name, field in of.fields.items() if self._is_composite(field)]
        chosen = self.random.sample(plain, k=min(len(plain), self.random.randint(1, 8)))
        if depth > 1 and deep:
            chosen += self.random.sample(deep, k=min(len(deep), self.random.randint(1, 3)))
        inside = " ".join(self._field(name, of.fields[name], depth - 1) for name in chosen)
        return f" {{ __typename {inside} }}"

    @staticmethod
    def _is_composite(field: Any) -> bool:
        return isinstance(
            get_named_type(field.type), (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)
        )

    def _value(self, of: Any, key: str, depth: int) -> str:
        choose = self.random.choice
        if isinstance(of, GraphQLNonNull):
            return self._value(of.of_type, key, depth)
        if self.random.random() < 0.03:
            return "null"
        if isinstance(of, GraphQLList):
            return (
                "["
                + ", ".join(self._value(of.of_type, key, depth) for _ in range(choose((0, 1, 1, 2, 3))))
                + "]"
            )
        if isinstance(of, GraphQLEnumType):
            return str(choose(of.values).name)
        if isinstance(of, GraphQLInputObjectType):
            inside = ", ".join(
                f"{name}: {self._value(field.type, name, depth - 1)}"
                for name, field in of.fields.items()
                if isinstance(field.type, GraphQLNonNull) or (depth > 0 and self.random.random() < 0.4)
            )
            return f"{{{inside}}}"
        if key in {"first", "last"}:
            return str(choose((0, 1, 2, 5, 20, -1)))
        if key in {"after", "before"}:
            return json.dumps(choose((*CURSORS, *WORDS)))
        return self._scalar(str(of))

    def _scalar(self, name: str) -> str:
        choose = self.random.choice
        if name == "Int":
            return str(choose(NUMBERS))
        if name in {"Float", "Decimal", "PositiveDecimal", "WeightScalar", "Quantity"}:
            return str(choose((*NUMBERS, 0.5, 1e30)))
        if name == "Boolean":
            return choose(("true", "false"))
        if name in {"ID", "UUID"}:
            return json.dumps(choose((*self.ids, *WORDS)))
        if name in {"DateTime", "Date"}:
            return choose(('"2026-11-23"', '"2026-11-23T06:10:00+08:00"', '"0001-01-01"', '"x"'))
        if name in {"JSONString", "GenericScalar"}:
            return choose(('"{}"', '"[1"', '"null"'))
        return json.dumps(choose((*WORDS, *self.ids)))


@pytest.fixture
def ids(db: None) -> list[str]:
    """Ids of all there is, and of what is not: 周叔's order, basket, address and account are among them."""
    shed = produce.a_shed()
    member = produce.a_member(cooperative=shed.cooperative, email="wang@baima.example")
    member.first_name = CANARY
    member.save()
    shed.supply.name = CANARY
    shed.supply.save()
    zhou = produce.a_person(email="zhou@buyer.example", first_name=CANARY, note=CANARY)
    address = produce.an_address(first_name=CANARY, street_address_1=CANARY, phone="+8613900139000")
    address.save()
    zhou.addresses.add(address)
    zhou.default_shipping_address = zhou.default_billing_address = address
    zhou.save()
    order = Order.objects.create(
        user=zhou,
        user_email=f"{CANARY}@x.example",
        billing_address=address,
        shipping_address=address,
        customer_note=CANARY,
        total_net_amount=7,
        total_gross_amount=7,
        currency="CNY",
    )
    order.lines.create(
        product_name=CANARY,
        variant_name=CANARY,
        product_sku=CANARY,
        quantity=1,
        unit_price_net_amount=7,
        unit_price_gross_amount=7,
        currency="CNY",
        is_shipping_required=True,
        tax_rate=0,
        variant=shed.variant,
    )
    payment = order.payments.create(
        gateway="pay_on_collection", token=CANARY, extra_data=CANARY, total=7, currency="CNY"
    )
    payment.transactions.create(
        kind="auth",
        is_success=True,
        amount=7,
        currency="CNY",
        token=CANARY,
        gateway_response={"said": CANARY},
    )
    basket = produce.a_basket({shed.variant: 1}, user=zhou)
    Checkout.objects.filter(pk=basket.pk).update(
        note=CANARY, email=f"{CANARY}@x.example", shipping_address=address
    )
    hidden = produce.a_product(name=CANARY, slug="hidden")
    Product.objects.filter(pk=hidden.pk).update(is_published=False)
    # What is not published is not to be come by, either.
    shelf = Collection.objects.create(name=CANARY, slug="hidden", is_published=False)
    shelf.products.add(shed.product)
    page = Page.objects.create(title=CANARY, slug="hidden", content=CANARY, is_published=False)
    menu = Menu.objects.create(name="side")
    MenuItem.objects.create(menu=menu, name="1", collection=shelf)
    MenuItem.objects.create(menu=menu, name="2", page=page)
    report = submit_report(
        cooperative=shed.cooperative,
        basis=Basis.SHELF,
        counted_at=timezone.now(),
        sequence=1,
        idempotency_key=CANARY,
        is_complete=False,
        source=Report.Source.PUSH,
        submitted_by=member,
        now=timezone.now(),
        lines=[SubmittedLine(code=CANARY, quantity=1)],
    )
    to_global_id: Callable[[str, Any], str] = graphene.Node.to_global_id
    known = [
        ("User", zhou.pk),
        ("User", member.pk),
        ("Address", address.pk),
        ("Order", order.pk),
        ("OrderLine", order.lines.get().pk),
        ("Payment", payment.pk),
        ("Product", shed.product.pk),
        ("Product", hidden.pk),
        ("ProductVariant", shed.variant.pk),
        ("ProductVariant", hidden.variants.get().pk),
        ("Category", shed.product.category_id),
        ("ProductType", shed.product.product_type_id),
        ("Warehouse", shed.cooperative.warehouse_id),
        ("ShippingMethod", shed.delivery.pk),
        ("ShippingZone", shed.delivery.shipping_zone_id),
        ("CheckoutLine", basket.lines.get().pk),
        ("Stock", shed.variant.stocks.get().pk),
        ("Nothing", 1),
        ("Order", "x"),
        ("Order", -1),
        ("Order", 2**70),
        ("User", ""),
        ("Checkout", "x"),
        ("Warehouse", "x"),
        ("Page", page.pk),
        ("Menu", menu.pk),
        ("MenuItem", menu.items.first().pk),
        ("Collection", shelf.pk),
        ("Attribute", 1),
        ("Voucher", 1),
        ("Sale", 1),
        ("App", 1),
        ("Group", 1),
    ]
    # Not among them: the tokens of 周叔's order and basket. Whoever holds one is meant to see what it opens.
    return [to_global_id(*each) for each in known] + [str(report.pk)]


def test_nothing_that_is_asked_breaks_the_shop_or_shows_somebody_else(
    ids: list[str], soak_minutes: float, settings: Any
) -> None:
    settings.TRUSTED_DOCUMENTS_ONLY = False
    other = produce.a_cooperative(slug="fuxing", name="福星村蔬菜专业合作社")
    tokens = {
        "nobody": "",
        "buyer": _token(produce.a_person(email="li@buyer.example")),
        "bookkeeper of another cooperative": _token(
            produce.a_member(cooperative=other, email="chen@fuxing.example")
        ),
    }
    # The soak asks something new each time; the short form asks what it asked last time, for as long as it has.
    seed = random.SystemRandom().randrange(2**32) if soak_minutes else SHORT_SEED
    questioner = Questioner(seed=seed, ids=ids)
    client = Client(raise_request_exception=False)
    broken: dict[str, str] = {}
    asked, ran = dict.fromkeys(tokens, 0), dict.fromkeys(tokens, 0)
    until = time.monotonic() + (soak_minutes * 60 or SECONDS)
    while time.monotonic() < until:
        name, document = questioner.operation()
        for who, token in tokens.items():
            asked[who] += 1
            try:
                with transaction.atomic():
                    response = client.post(
                        "/graphql/",
                        data=json.dumps({"query": document}),
                        content_type="application/json",
                        headers={"Authorization": f"JWT {token}"} if token else {},
                    )
                    transaction.set_rollback(True)
            except BaseException:
                # A time-out too: then this is the question that is never answered.
                print(f"seed {seed}, {who}: {document}")
                raise
            text = response.content.decode()
            ran[who] += '"data"' in text
            what = _what_is_wrong(response.status_code, text, document)
            if what:
                broken.setdefault(f"{name}: {what}", f"{who}: {document}\n  {text[:600]}")
    print(f"strange queries: asked {asked}, of which ran {ran}, seed {seed}")
    assert all(ran[who] > asked[who] / 10 for who in tokens), (
        "most were refused before they ran: this tests nothing"
    )
    assert not broken, f"seed {seed}\n" + "\n".join(f"{key}\n  {each}" for key, each in broken.items())


def _token(user: Any) -> str:
    from graphql_jwt.shortcuts import get_token

    return str(get_token(user))


def _what_is_wrong(status: int, text: str, document: str) -> str:
    if status >= 500:
        return f"status {status}"
    if "INTERNAL_ERROR" in text:
        return "an internal error"
    # What the client wrote may come back to it.
    if CANARY in json.dumps(json.loads(text), ensure_ascii=False) and CANARY not in document:
        return "somebody else's data"
    return ""


# ---- What is not even a request -------------------------------------------------------------------------------------

CONTENT_TYPES = (
    "application/json",
    "application/json",
    "application/json; charset=utf-16",
    "application/json; charset=nothing",
    "application/graphql",
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "multipart/form-data; boundary=" + "y" * 300,
    "image/png",
    "\u007f/\u007f",
    "",
)
DOCUMENT = "query Q($first: Int) { products(first: $first) { edges { node { name } } } }"
BODIES = (
    json.dumps({"query": DOCUMENT, "variables": {"first": 1}, "operationName": "Q"}).encode(),
    json.dumps([{"query": DOCUMENT, "variables": {"first": 1}}] * 2).encode(),
    json.dumps({"id": "0" * 64, "extensions": {"persistedQuery": {"sha256Hash": "1" * 64}}}).encode(),
    DOCUMENT.encode(),
    b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query": "{ shop { name } }"}\r\n--x--\r\n',
    b"[" * 50_000,
    b'{"query":' * 50_000,
    b'{"query": "{ shop { name } }", "variables": ' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}",
    b'{"query": "{ shop { name } }", "variables": {"n": ' + b"9" * 5_000 + b"}}",
    b'{"query": "{ shop { name } }", "variables": {"n": NaN, "m": -Infinity}}',
    b'{"query": "{ shop(name: \\"\\ud800\\") { name } }", "operationName": "\\udfff"}',
    b'{"query": "\\u0000{ shop { name } }"}',
    "{ shop { name } } \ufeff".encode("utf-16"),
    b"query=%7Bshop%7Bname%7D%7D",
    b"\x1f\x8b\x08\x00" + bytes(range(256)),
    b"",
)


def _spoilt(body: bytes, chance: random.Random) -> bytes:
    """The body as it is, cut, doubled, or with some bytes changed."""
    match chance.randrange(5):
        case 0:
            return body[: chance.randrange(len(body) + 1)]
        case 1:
            return body + body[: chance.randrange(len(body) + 1)]
        case 2 | 3 if body:
            changed = bytearray(body)
            for _ in range(chance.randint(1, 8)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            return bytes(changed)
    return body


def test_a_body_of_any_bytes_is_answered_as_a_bad_request(
    db: None, soak_minutes: float, settings: Any
) -> None:
    settings.TRUSTED_DOCUMENTS_ONLY = False
    produce.a_shed()
    seed = random.SystemRandom().randrange(2**32) if soak_minutes else SHORT_SEED
    chance = random.Random(seed)
    client = Client(raise_request_exception=False)
    token = _token(produce.a_person(email="zhao@town.example", is_staff=True))
    until = time.monotonic() + soak_minutes * 60
    asked = 0
    while asked < BODIES_IN_SHORT or time.monotonic() < until:
        asked += 1
        body, content_type = _spoilt(chance.choice(BODIES), chance), chance.choice(CONTENT_TYPES)
        headers = chance.choice(
            (
                {},
                {},
                {"Authorization": f"JWT {token}"},
                {"Authorization": "JWT \u00ff"},
                {"Authorization": "Bearer " + "a" * 31},
                {"Content-Encoding": "gzip"},
                # Of more than comes, the test's client makes an error of its own; a server waits.
                {"Content-Length": str(chance.choice((-1, 0, min(3, len(body)), 2**70)))},
                {"Accept-Language": "\u00ff;q=x"},
                {"X-Request-Id": "\u00ff" * 40},
            )
        )
        response = client.generic("POST", "/graphql/", body, content_type=content_type, headers=headers)
        said = f"seed {seed}, number {asked}: {content_type} {headers} {body[:200]!r}: {response.content[:400]!r}"
        assert response.status_code < 500, said
        assert b"INTERNAL_ERROR" not in response.content, said
        json.loads(response.content)
    print(f"strange bodies: {asked} sent, seed {seed}")
