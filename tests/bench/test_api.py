"""What a list of goods costs over HTTP, beside the same query with Saleor's own resolvers; and the theme's pages.

`make bench`. CPU is the web processes' own, from /proc: what the machine does besides does not count.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import graphene
import httpx
import psutil
import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from saleor.core.middleware import country, currency, discounts, plugins, request_time, site

from backend.api.schema import Mutation, Query, schema
from backend.api.views import ApiView
from backend.config import programs
from backend.config.embedded import free_port
from backend.config.environment import REPOSITORY
from tests import market
from tests.shop import Shop

PRODUCTS = """query { products(first: 24) { edges { node { name isAvailable category { name }
  thumbnail(size: 255) { url } pricing { priceRange { start { gross { amount } } } }
  variants { sku quantityAvailable } } } } }"""
ROUNDS = 15
SHOP_SIZES = (500, 20_000)


def web_of(shop: Shop) -> psutil.Process:
    return psutil.Process(shop.processes["web"].pid)


def cpu_seconds(parent: psutil.Process) -> float:
    """User and system time of gunicorn and its workers so far."""
    times = [process.cpu_times() for process in (parent, *parent.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def measured(web: psutil.Process, request: Callable[[], httpx.Response]) -> tuple[float, float]:
    """(CPU ms, wall ms) of one request: medians over ROUNDS, after a warm-up."""
    for _ in range(4):
        assert request().status_code == 200
    walls = []
    before = cpu_seconds(web)
    for _ in range(ROUNDS):
        began = time.perf_counter()
        assert request().status_code == 200
        walls.append((time.perf_counter() - began) * 1000)
    return (cpu_seconds(web) - before) * 1000 / ROUNDS, statistics.median(walls)


def test_a_list_of_goods_over_http(shop: Shop) -> None:
    with httpx.Client(base_url=shop.url, timeout=60) as client:
        cpu, wall = measured(web_of(shop), lambda: client.post("/graphql/", json={"query": PRODUCTS}))
    print(
        f"\nproducts(first: 24) over HTTP, uncached: {cpu:.0f} ms CPU, {wall:.0f} ms wall (budget 90 ms CPU)"
    )


@pytest.mark.parametrize("path", ["/", "/c/leafy/", "/p/wosun/", "/wall/", "/brand/"])
def test_a_page_over_http(shop: Shop, path: str) -> None:
    with httpx.Client(base_url=shop.url, timeout=60, headers={"Accept-Encoding": "gzip"}) as client:
        cpu, wall = measured(web_of(shop), lambda: client.get(path))
        with client.stream("GET", path) as response:
            sent = sum(len(chunk) for chunk in response.iter_raw())
    print(
        f"\n{path}: {cpu:.0f} ms CPU, {wall:.0f} ms wall, {sent / 1024:.1f} KB of HTML before the proxy packs it"
    )


@contextmanager
def web_processes() -> Iterator[tuple[psutil.Process, str]]:
    """gunicorn on this process's database, and its address."""
    port = free_port()
    command = programs.web(host="127.0.0.1", port=port)
    with subprocess.Popen(command, cwd=REPOSITORY, env=os.environ) as process:
        try:
            deadline = time.monotonic() + 120
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/graphql/", timeout=30)
                    break
                except httpx.TransportError:
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
            yield psutil.Process(process.pid), f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def in_process(schema: Any) -> tuple[int, float]:
    """(queries, CPU ms of this process) of the same query, without HTTP: a median over ROUNDS."""
    factory = RequestFactory()

    def run() -> tuple[int, float]:
        request = factory.post("/graphql/", {"query": PRODUCTS}, content_type="application/json")
        with CaptureQueriesContext(connection) as queries, pytest.MonkeyPatch.context() as patch:
            patch.setattr("backend.api.views.schema", schema)
            handler: Any = ApiView.as_view()
            for layer in (plugins, site, currency, country, discounts, request_time):
                handler = layer(handler)
            began = time.process_time()
            response = handler(request)
            spent = (time.process_time() - began) * 1000
        assert len(json.loads(response.content)["data"]["products"]["edges"]) == 24
        return len(queries), spent

    run()
    runs = [run() for _ in range(ROUNDS)]
    return runs[-1][0], statistics.median(spent for _queries, spent in runs)


@pytest.mark.timeout(0)
@pytest.mark.django_db(transaction=True)
def test_a_list_of_goods_in_a_shop_of_any_size() -> None:
    """Over HTTP and in process, beside the same query with Saleor's own resolvers: how it grows with the catalogue."""
    as_it_is, as_saleor_has_it = schema, graphene.Schema(query=Query, mutation=Mutation)
    stalls = market.a_market()
    asked: list[int] = []
    with web_processes() as (web, url), httpx.Client(base_url=url, timeout=60) as client:
        for goods in SHOP_SIZES:
            market.add_goods(stalls, goods=goods - stalls.goods)
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            cpu, wall = measured(web, lambda: client.post("/graphql/", json={"query": PRODUCTS}))
            queries, spent = in_process(as_it_is)
            theirs, spent_by_theirs = in_process(as_saleor_has_it)
            asked.append(queries)
            print(
                f"\nproducts(first: 24) of {goods:,} goods, uncached: over HTTP {cpu:.0f} ms CPU, {wall:.0f} ms wall "
                f"(budget 90 ms CPU); in process {spent:.0f} ms, {queries} queries (budget 16); "
                f"Saleor's own resolvers {spent_by_theirs:.0f} ms, {theirs} queries"
            )
    assert len(set(asked)) == 1
    assert asked[0] <= 16


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
