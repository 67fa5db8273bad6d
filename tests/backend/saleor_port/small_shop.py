"""A small shop on Saleor's own models: two warehouses, a few goods, 李婶's basket, an obedient gateway."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import graphene
from django.contrib.auth.models import AnonymousUser
from django.contrib.sites.models import Site
from django.db import connection, connections
from django.test import RequestFactory
from django_countries.fields import Country
from prices import Money, TaxedMoney
from saleor.account.models import Address, User
from saleor.checkout.models import Checkout
from saleor.order.models import Order, OrderLine
from saleor.payment import TransactionKind
from saleor.payment.gateways.dummy.plugin import DummyGatewayPlugin
from saleor.payment.interface import GatewayResponse, PaymentData
from saleor.payment.models import Payment
from saleor.plugins.manager import get_plugins_manager
from saleor.product.models import Category, Product, ProductType, ProductVariant
from saleor.shipping.models import ShippingMethod, ShippingZone
from saleor.warehouse.models import Allocation, Stock, Warehouse

GATEWAY = "tests.gateway"


class GatewayOfTests(DummyGatewayPlugin):
    """Takes the money at once. `before_answer` is what happens in the world meanwhile.

    kind: "auth" to promise the money only; needs_confirmation: the buyer has to confirm first (3-D Secure).
    """

    PLUGIN_ID = GATEWAY
    PLUGIN_NAME = "Tests"
    before_answer: Callable[[], None] = staticmethod(lambda: None)
    kind = TransactionKind.CAPTURE
    needs_confirmation = False

    def process_payment(self, payment_information: PaymentData, previous_value: Any) -> GatewayResponse:
        type(self).before_answer()
        answer: GatewayResponse = super().process_payment(payment_information, previous_value)
        return dataclasses.replace(answer, kind=self.kind, action_required=self.needs_confirmation)


def make_address(first_name: str = "婶", last_name: str = "李") -> Address:
    return Address.objects.create(
        first_name=first_name,
        last_name=last_name,
        street_address_1="信义镇白马村1组",
        city="绵阳",
        country_area="四川省",
        postal_code="621000",
        country="CN",
        phone="+8613800138000",
    )


@dataclass
class Shop:
    """Makes what a test needs in one line."""

    zone: ShippingZone
    shipping: ShippingMethod
    product_type: ProductType
    category: Category
    warehouses: list[Warehouse]
    made: int = field(default=0)

    def good(self, *quantities: int | None, price: str = "50") -> ProductVariant:
        """A pack; quantities: on hand in the first warehouse, the second…, None for no stock row there."""
        self.made += 1
        product = Product.objects.create(
            name=f"二荆条 {self.made}",
            slug=f"erjingtiao-{self.made}",
            product_type=self.product_type,
            category=self.category,
            price=Money(price, "CNY"),
            minimal_variant_price=Money(price, "CNY"),
            is_published=True,
        )
        variant = product.variants.create(sku=f"XY-{self.made:04}", name="500 克")
        for warehouse, quantity in zip(self.warehouses, quantities, strict=False):
            if quantity is not None:
                Stock.objects.create(warehouse=warehouse, product_variant=variant, quantity=quantity)
        return variant

    def basket(self, *goods: ProductVariant) -> Checkout:
        checkout = Checkout.objects.create(
            email="lishen@example.com",
            currency="CNY",
            country="CN",
            billing_address=make_address(),
            shipping_address=make_address(),
            shipping_method=self.shipping,
        )
        for good in goods:
            checkout.lines.create(variant=good, quantity=1)
        return checkout

    def payment(self, checkout: Checkout, total: str, token: str = "a token") -> Payment:
        return Payment.objects.create(
            checkout=checkout,
            gateway=GATEWAY,
            token=token,
            total=Decimal(total),
            currency="CNY",
            billing_email=checkout.email,
        )

    def order(self, *goods: ProductVariant, quantity: int = 1) -> Order:
        order = Order.objects.create(
            user_email="lishen@example.com", billing_address=make_address(), shipping_address=make_address()
        )
        for good in goods:
            self.order_line(order, good, quantity)
        return order

    def order_line(self, order: Order, good: ProductVariant, quantity: int) -> OrderLine:
        price = TaxedMoney(net=good.product.price, gross=good.product.price)
        return order.lines.create(
            variant=good,
            product_name=str(good.product),
            variant_name=good.name,
            product_sku=good.sku,
            quantity=quantity,
            unit_price=price,
            is_shipping_required=True,
            tax_rate=0,
        )

    def promise(self, line: OrderLine, *quantities: int) -> None:
        """Allocations of the line in the first warehouse, the second…"""
        for warehouse, quantity in zip(self.warehouses, quantities, strict=False):
            stock = Stock.objects.get(warehouse=warehouse, product_variant=line.variant)
            Allocation.objects.create(order_line=line, stock=stock, quantity_allocated=quantity)


def make_shop() -> Shop:
    zone = ShippingZone.objects.create(name="China", countries=["CN"])
    shipping = zone.shipping_methods.create(
        name="次日达", type="price", price=Money(0, "CNY"), minimum_order_price=Money(0, "CNY")
    )
    warehouses = []
    for name in ("白马合作社", "李花合作社"):
        warehouse = Warehouse.objects.create(name=name, slug=f"w{len(warehouses)}", address=make_address())
        warehouse.shipping_zones.add(zone)
        warehouses.append(warehouse)
    return Shop(
        zone=zone,
        shipping=shipping,
        product_type=ProductType.objects.create(
            name="蔬菜", slug="vegetable", has_variants=True, is_shipping_required=True
        ),
        category=Category.objects.create(name="蔬菜", slug="vegetables"),
        warehouses=warehouses,
    )


Ask = Callable[..., Any]


@functools.cache
def saleor_schema() -> graphene.Schema:
    """Saleor's own operations, without federation and without what our own schema leaves out or adds."""
    return _built_schema()


def _built_schema() -> graphene.Schema:
    from saleor.graphql.api import Mutation, Query

    return graphene.Schema(query=Query, mutation=Mutation)


def ask(
    document: str, *, user: User | None = None, schema: graphene.Schema | None = None, **variables: Any
) -> Any:
    """Run a document as somebody (nobody by default) and answer graphene's result."""
    request = RequestFactory().post("/graphql/")
    request.user = user or AnonymousUser()
    request.app = None
    request.discounts = []
    request.country = Country("CN")
    request.currency = "CNY"
    request.plugins = get_plugins_manager()
    request.site = Site.objects.get_current()
    return (schema or saleor_schema()).execute(document, variables=variables, context=request)


def ask_anew(document: str, *, user: User | None = None, **variables: Any) -> Any:
    """The same on a schema built at this moment: a patch of a resolver shows only in what is built without it."""
    return ask(document, user=user, schema=_built_schema(), **variables)


def race(*runners: Callable[[], Any]) -> list[Any]:
    """Run each in a thread and connection of its own; answer what each returned or raised, in order."""
    outcomes: list[Any] = [None] * len(runners)

    def run(number: int, runner: Callable[[], Any]) -> None:
        try:
            outcomes[number] = runner()
        except Exception as error:
            outcomes[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "a racer is stuck"
    return outcomes


def waiting_for_locks() -> int:
    """How many connections to this database wait for somebody's lock at this moment."""
    with connection.cursor() as cursor:
        # Within a transaction PostgreSQL would go on showing what it showed first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


class Rendezvous:
    """Two threads meet here; when the other one cannot come within `seconds`, one goes on alone."""

    def __init__(self, *, seconds: float) -> None:
        self._barrier = threading.Barrier(2, timeout=seconds)

    def wait(self) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            self._barrier.wait()
