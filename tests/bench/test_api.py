"""What a list of goods costs over HTTP, beside the same query with Saleor's own resolvers; and the theme's pages.

`make bench`. CPU is the web processes' own, from /proc: what the machine does besides does not count.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import graphene
import httpx
import psutil
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from saleor.graphql.product.types import Product, ProductVariant
from saleor.warehouse.availability import get_available_quantity_for_customer, is_product_in_stock

from backend.api import extensions
from backend.api.schema import Mutation, Query
from tests import produce
from tests.shop import Shop

PRODUCTS = """query { products(first: 24) { edges { node { name isAvailable category { name }
  thumbnail(size: 255) { url } pricing { priceRange { start { gross { amount } } } }
  variants { sku quantityAvailable } } } } }"""
ROUNDS = 15


def cpu_seconds(shop: Shop) -> float:
    """User and system time of gunicorn and its workers so far."""
    parent = psutil.Process(shop.processes["web"].pid)
    times = [process.cpu_times() for process in (parent, *parent.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def measured(shop: Shop, request: Callable[[], httpx.Response]) -> tuple[float, float]:
    """(CPU ms, wall ms) of one request: medians over ROUNDS, after a warm-up."""
    for _ in range(4):
        assert request().status_code == 200
    walls = []
    before = cpu_seconds(shop)
    for _ in range(ROUNDS):
        began = time.perf_counter()
        assert request().status_code == 200
        walls.append((time.perf_counter() - began) * 1000)
    return (cpu_seconds(shop) - before) * 1000 / ROUNDS, statistics.median(walls)


def test_a_list_of_goods_over_http(shop: Shop) -> None:
    with httpx.Client(base_url=shop.url, timeout=60) as client:
        cpu, wall = measured(shop, lambda: client.post("/graphql/", json={"query": PRODUCTS}))
    print(
        f"\nproducts(first: 24) over HTTP, uncached: {cpu:.0f} ms CPU, {wall:.0f} ms wall (budget 90 ms CPU)"
    )


@pytest.mark.parametrize("path", ["/", "/c/leafy/", "/p/wosun/", "/wall/", "/brand/"])
def test_a_page_over_http(shop: Shop, path: str) -> None:
    with httpx.Client(base_url=shop.url, timeout=60, headers={"Accept-Encoding": "gzip"}) as client:
        cpu, wall = measured(shop, lambda: client.get(path))
        with client.stream("GET", path) as response:
            sent = sum(len(chunk) for chunk in response.iter_raw())
    print(
        f"\n{path}: {cpu:.0f} ms CPU, {wall:.0f} ms wall, {sent / 1024:.1f} KB of HTML before the proxy packs it"
    )


@pytest.mark.django_db
def test_queries_and_time_beside_saleor_s_own_resolvers(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cooperative = produce.a_cooperative()
    for number in range(int(os.environ.get("GOODS", "200"))):
        product = produce.a_product(name=f"菜{number}", slug=f"cai-{number}", packs={500: "4", 2500: "18"})
        produce.a_supply(cooperative=cooperative, product=product, on_hand=9_000, code=f"XY-{number:04}")

    def run() -> tuple[int, float]:
        with CaptureQueriesContext(connection) as queries:
            began = time.process_time()
            response = client.post("/graphql/", {"query": PRODUCTS}, content_type="application/json")
            spent = (time.process_time() - began) * 1000
        assert len(response.json()["data"]["products"]["edges"]) == 24
        return len(queries), spent

    def median() -> tuple[int, float]:
        run()
        runs = [run() for _ in range(ROUNDS)]
        return runs[-1][0], statistics.median(spent for _, spent in runs)

    batched = median()
    monkeypatch.setattr(
        ProductVariant,
        "resolve_quantity_available",
        staticmethod(
            lambda root, info, country_code=None: get_available_quantity_for_customer(root, country_code)
        ),
    )
    monkeypatch.setattr(
        Product,
        "resolve_is_available",
        staticmethod(lambda root, info: root.is_visible and is_product_in_stock(root, info.context.country)),
    )
    # Resolvers are bound when a schema is built.
    monkeypatch.setattr("backend.api.views.schema", graphene.Schema(query=Query, mutation=Mutation))
    unbatched = median()
    print(
        f"\nbatched: {batched[0]} queries, {batched[1]:.0f} ms; Saleor's own: {unbatched[0]} queries, {unbatched[1]:.0f} ms"
    )
    assert extensions.resolve_is_available is not Product.resolve_is_available


def test_memory_of_a_web_worker(shop: Shop) -> None:
    with httpx.Client(base_url=shop.url, timeout=60) as client:
        for path in ("/", "/c/leafy/", "/p/wosun/", "/wall/") * 5:
            client.get(path)
    for child in psutil.Process(shop.processes["web"].pid).children():
        rollup = Path(f"/proc/{child.pid}/smaps_rollup").read_text()
        pss, rss = (
            int(line.split()[1]) / 1024
            for name in ("Pss:", "Rss:")
            for line in rollup.splitlines()
            if line.startswith(name)
        )
        print(f"\nweb worker: {pss:.0f} MB of its own (PSS), {rss:.0f} MB resident (budget 180)")
