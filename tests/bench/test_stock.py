"""From raw bytes to the shelf: a 10,000-line report, beside the least that PostgreSQL could do, and Saleor's own way.

`make bench`. All are measured in one run, on the same rows, as the best of ROUNDS.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone
from measurement.measures import Weight
from saleor.product.models import Product, ProductVariant
from saleor.warehouse.models import Stock

from backend.stock.audit import find_drift
from backend.stock.feed_services import receive_from_feed
from backend.stock.models import Feed, Movement, Pack, Report, ReportLine, Supply
from backend.stock.services import apply_report
from backend.stock.ways_in.source import Fetched
from tests.produce import a_cooperative, a_product

GOODS = 10_000
ROUNDS = 3
MOST_TIMES_BARE = 3.0
"""The design's budget for 100,000 lines, with a ledger, against COPY + UPDATE ... FROM of one table."""


@pytest.fixture
def feed() -> Feed:
    """A shed with GOODS supplies of one pack each, counted once."""
    cooperative = a_cooperative()
    model: Product = a_product()
    products = Product.objects.bulk_create(
        [
            Product(
                name=f"菜{number}",
                slug=f"good-{number}",
                category=model.category,
                product_type=model.product_type,
                price_amount=model.price_amount,
                minimal_variant_price_amount=model.price_amount,
                currency="CNY",
            )
            for number in range(GOODS)
        ]
    )
    variants = ProductVariant.objects.bulk_create(
        [
            ProductVariant(product=product, sku=f"sku-{number}", currency="CNY", weight=Weight(g=1000))
            for number, product in enumerate(products)
        ]
    )
    supplies = Supply.objects.bulk_create(
        [
            Supply(cooperative=cooperative, code=f"XY-{number:05}", name=product.name, product=product)
            for number, product in enumerate(products)
        ]
    )
    Pack.objects.bulk_create(
        [
            Pack(supply=supply, variant=variant, units=1000)
            for supply, variant in zip(supplies, variants, strict=True)
        ]
    )
    feed = Feed.objects.create(cooperative=cooperative, kind=Feed.Kind.HTTP_JSON, url="http://127.0.0.1:9/")
    report(feed, round_number=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return feed


def a_document(round_number: int) -> bytes:
    counted_at = timezone.now() - timedelta(hours=1) + timedelta(minutes=round_number)
    items = [
        {"code": f"XY-{number:05}", "quantity": 100.5 + (number + round_number) % 50, "unit": "斤"}
        for number in range(GOODS)
    ]
    return json.dumps({"counted_at": counted_at.isoformat(), "items": items}).encode()


def report(feed: Feed, *, round_number: int) -> float:
    """Seconds from raw bytes to the shelf, ledger, lines, projection and shortfalls included."""
    body = a_document(round_number)
    began = time.perf_counter()
    report_id = receive_from_feed(feed_id=feed.pk, fetched=Fetched(body=body), now=timezone.now())
    assert report_id is not None
    assert apply_report(report_id=report_id, now=timezone.now())
    seconds = time.perf_counter() - began
    outcomes = ReportLine.objects.filter(report=report_id).values_list("outcome").annotate(Count("id"))
    assert list(outcomes) == [(ReportLine.Outcome.ACCEPTED, GOODS)], Report.objects.get(pk=report_id).message
    return seconds


def bare_copy(feed: Feed, *, round_number: int) -> float:
    """Seconds for the same raw bytes, read, and copied into a temporary table, and one UPDATE ... FROM: no rules."""
    body = a_document(round_number)
    began = time.perf_counter()
    rows = [(item["code"], int(item["quantity"] * 500)) for item in json.loads(body)["items"]]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE said (code text, units bigint) ON COMMIT DROP")
        with cursor.copy("COPY said FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            """
            UPDATE warehouse_stock stock SET quantity = said.units / pack.units
            FROM said
            JOIN stock_supply supply ON supply.code = said.code AND supply.cooperative_id = %s
            JOIN stock_pack pack ON pack.supply_id = supply.id
            WHERE stock.product_variant_id = pack.variant_id
            """,
            [feed.cooperative_id],
        )
        assert cursor.rowcount == GOODS
    return time.perf_counter() - began


def bulk_update(feed: Feed, *, round_number: int) -> float:
    """Seconds for Django's bulk_update of the Stock rows, without a ledger."""
    stocks = list(Stock.objects.all())
    began = time.perf_counter()
    for stock in stocks:
        stock.quantity = 50 + (stock.pk + round_number) % 50
    Stock.objects.bulk_update(stocks, ["quantity"], batch_size=1000)
    return time.perf_counter() - began


def best(way: Callable[..., float], feed: Feed, *, first: int) -> float:
    return min(way(feed, round_number=first + number) for number in range(ROUNDS))


@pytest.mark.django_db(transaction=True)
def test_a_report_of_ten_thousand_lines(feed: Feed) -> None:
    bare = best(bare_copy, feed, first=10)
    bulk = best(bulk_update, feed, first=20)
    ours = best(report, feed, first=30)
    assert Movement.objects.count() == GOODS * (ROUNDS + 1)
    assert find_drift() == []
    print(f"\n{GOODS:,} lines, best of {ROUNDS}:")
    for name, seconds in (
        ("raw bytes -> lines, ledger, Stock rows", ours),
        ("bare COPY + UPDATE ... FROM of the Stock rows", bare),
        ("bulk_update of the Stock rows, no ledger", bulk),
    ):
        print(f"  {name:48} {seconds:7.2f} s   {seconds / bare:5.1f} x bare")
    print(f"  budget: {MOST_TIMES_BARE:.0f} x bare at 100,000 lines")
