"""What search engines find, and what a phone keeps: robots.txt, sitemap.xml, manifest, service worker, offline page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import Resolver404, resolve
from PIL import Image

from backend.brand.models import Campaign
from backend.catalogue.models import Dish
from storefront_theme import pwa, seo
from tests import produce

STATIC = Path(pwa.__file__).parent / "static"
SITEMAP = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "x": "http://www.w3.org/1999/xhtml",
}

pytestmark = pytest.mark.django_db


def test_robots_are_kept_from_what_is_somebodys(client: Client) -> None:
    answer = client.get("/robots.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.content.decode().splitlines()
    assert lines[0] == "User-agent: *"
    assert f"Sitemap: {settings.PUBLIC_URL}/sitemap.xml" in lines
    for path in seo.CLOSED:
        assert f"Disallow: {path}" in lines
        # A door that was moved would stand open.
        if path not in {"/i18n/", "/me/", "/orders/"}:
            try:
                resolve(path)
            except Resolver404:
                pytest.fail(f"{path} is no address of the shop")


def addresses(client: Client) -> dict[str, dict[str, str]]:
    tree = ET.fromstring(client.get("/sitemap.xml").content)
    return {
        url.find("s:loc", SITEMAP).text: {  # type: ignore[union-attr, misc]  # each has one
            link.get("hreflang"): link.get("href") for link in url.findall("x:link", SITEMAP)
        }
        for url in tree.findall("s:url", SITEMAP)
    }


def test_the_sitemap_names_every_public_page_and_each_opens(client: Client) -> None:
    shed = produce.a_shed()
    produce.a_product(name="藏着", slug="hidden").save()
    type(shed.product).objects.filter(slug="hidden").update(is_published=False)
    Dish.objects.create(slug="liangban", name="凉拌莴笋", name_en="Salad")
    Campaign.objects.create(slug="x", title="x", title_en="x", body="x", body_en="x")
    found = addresses(client)
    paths = {address.removeprefix(settings.PUBLIC_URL) for address in found}
    assert {
        "/",
        "/calendar/",
        "/c/vegetables/",
        "/p/wosun/",
        "/dishes/liangban/",
        "/villages/baima/",
        "/cooperatives/baima/",
    } <= paths
    assert not any("hidden" in path for path in paths)
    for address, languages in found.items():
        assert languages == {"zh-Hans": address, "en": f"{address}?lang=en"}
        path = address.removeprefix(settings.PUBLIC_URL)
        page = client.get(path)
        assert page.status_code == 200, path
        assert f'<link rel="canonical" href="{address}">' in page.content.decode(), path


def test_more_goods_than_one_request_tells_are_all_named(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(130):
        produce.a_product(name=f"菜{number}", slug=f"cai-{number}")
    with django_assert_max_num_queries(25):
        found = addresses(client)
    assert sum("/p/cai-" in address for address in found) == 130


def test_pages_of_somebody_have_no_canonical_address(client: Client) -> None:
    for path in ("/basket/", "/account/sign-in/"):
        assert 'rel="canonical"' not in client.get(path).content.decode()


def test_the_manifest_names_icons_that_are_there(client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    told = answer.json()
    assert told["name"] == "信义菜篮"
    assert told["start_url"] == told["scope"] == "/"
    assert {each["purpose"] for each in told["icons"]} == {"any", "maskable"}
    for each in told["icons"]:
        name = re.sub(r"\.[0-9a-f]{12}(?=\.png)", "", each["src"].removeprefix("/static/"))
        width, height = Image.open(STATIC / name).size
        assert f"{width}x{height}" == each["sizes"]


def test_the_service_worker_keeps_files_and_one_page_and_no_page_of_the_shop(client: Client) -> None:
    answer = client.get("/sw.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "no-cache" in answer["Cache-Control"]
    text = answer.content.decode()
    kept = re.findall(r'"([^"]+)"', re.search(r"const KEPT = (\[.*?\]);", text)[1])
    assert [path for path in kept if not path.startswith("/static/")] == ["/offline/"]
    assert not answer.cookies


def test_the_page_without_a_network_belongs_to_nobody_and_asks_the_database_nothing(
    client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/offline/")
    page = answer.content.decode()
    assert "没有网络" in page
    assert "You are offline" in page
    assert not answer.cookies
    # All that it needs is kept with it.
    kept = re.findall(
        r'"([^"]+)"', re.search(r"const KEPT = (\[.*?\]);", client.get("/sw.js").content.decode())[1]
    )
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        assert address in kept


def test_the_style_guide_shows_a_dozen_components(client: Client) -> None:
    assert client.get("/styleguide/").status_code == 200
    templates = STATIC.parent / "templates"
    shown = (templates / "shop" / "styleguide.html").read_text("utf-8")
    components = set(re.findall(r'include "(components/\w+\.html)"', shown))
    assert len(components) >= 12
    assert all((templates / name).exists() for name in components)


@pytest.mark.parametrize("debug, demo, there", [(False, False, False), (False, True, True)])
def test_production_has_no_style_guide(debug: bool, demo: bool, there: bool) -> None:
    """As the addresses are made when a process starts: asked in a process of its own."""
    program = (
        "import django, os; django.setup();"
        "from django.urls import resolve, Resolver404\n"
        "try:\n  resolve('/styleguide/'); print('there')\nexcept Resolver404: print('gone')"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "backend.config.settings",
        "DEBUG": str(debug).lower(),
        "DEMO": str(demo).lower(),
        "SECRET_KEY": "x" * 40,
        "PUBLIC_URL": "http://localhost:8000",
    }
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=environment,
        cwd=STATIC.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout.strip() == ("there" if there else "gone"), said.stderr[-500:]
