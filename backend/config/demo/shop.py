"""Loads all of the demo shop, in the order in which its parts refer to one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from saleor.product.models import Product

from backend.config.demo.counts import receive_first_counts
from backend.config.demo.files import read_rows
from backend.config.demo.goods import load_categories, load_collection, load_dishes, load_goods
from backend.config.demo.images import attach_pictures, drawings
from backend.config.demo.orders import place_sample_orders
from backend.config.demo.pages import load_campaigns, load_menus, load_pages, load_site
from backend.config.demo.people import load_people
from backend.config.demo.pictures import drawing_in_background
from backend.config.demo.places import load_cooperatives, load_shipping, load_villages
from backend.config.demo.sheds import load_feeds, load_lots, load_supplies
from backend.config.demo.vouchers import load_vouchers
from backend.cooperatives.models import Cooperative
from backend.stock.models import Feed

ACCOUNTS_FILE = "demo-accounts.json"

Say = Callable[[str], object]


@dataclass(frozen=True)
class _Loaded:
    products: dict[str, Product]
    cooperatives: dict[str, Cooperative]
    feeds: dict[str, Feed]


def load_demo_shop(
    *, feeds_url: str, now: datetime, say: Say, with_pictures: bool = True, with_orders: bool = True
) -> None:
    """Load what is missing of the demo shop; says a line for each step.

    feeds_url: where the cooperatives' simulated systems are. The records come first and in one transaction, so that
    a loading that was broken off leaves nothing half done; counts and orders then go the way of real ones.
    """
    slugs = [row["slug"] for row in read_rows("goods")] if with_pictures else []
    # The pictures take as long as all the rest together, and need nothing of it.
    with drawing_in_background(drawings(slugs=slugs)) as pictures:
        with transaction.atomic():
            loaded = _load_records(feeds_url=feeds_url, say=say)
        accounts = load_people(
            cooperatives=loaded.cooperatives, accounts_path=Path(settings.VAR_DIR) / ACCOUNTS_FILE
        )
        say(f"示例数据 people: {len(accounts)}; their passwords are in {ACCOUNTS_FILE}")
        counted = receive_first_counts(feeds=loaded.feeds, now=now)
        lots = load_lots(today=timezone.localdate(now))
        say(f"示例数据 first counts: {counted} reports, {lots} lots")
        if with_orders:
            say(f"示例数据 sample orders: {place_sample_orders(now=now)}")
        for done, picture in enumerate(pictures, start=1):
            picture.result()
            if done % 10 == 0 or done == len(pictures):
                say(f"示例数据 pictures: {done} of {len(pictures)}")
    if with_pictures:
        attach_pictures(products=loaded.products)


def _load_records(*, feeds_url: str, say: Say) -> _Loaded:
    villages = load_villages()
    zone = load_shipping()
    cooperatives = load_cooperatives(villages=villages, zone=zone)
    say(f"示例数据 villages: {len(villages)}, cooperatives: {len(cooperatives)}")
    categories = load_categories()
    products = load_goods(categories=categories, villages=villages)
    collection = load_collection(products=products)
    load_dishes(products=products)
    say(f"示例数据 goods: {len(products)} in {len(categories)} categories, with the dishes that take them")
    load_supplies(cooperatives=cooperatives, products=products)
    feeds = load_feeds(cooperatives=cooperatives, base_url=feeds_url)
    pages = load_pages()
    menus = load_menus(categories=categories, pages=pages)
    load_site(menus=menus, collection=collection)
    load_campaigns()
    vouchers = load_vouchers()
    say(
        f"示例数据 pages: {len(pages)}, feeds: {len(feeds)}, vouchers: {', '.join(each.code for each in vouchers)}"
    )
    return _Loaded(products=products, cooperatives=cooperatives, feeds=feeds)
