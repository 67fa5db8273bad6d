"""The demo shop: what is in it, and that loading it twice changes nothing."""

import hashlib
import io
import json
import os
import re
import stat
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Count, Model
from django.utils import timezone
from PIL import Image
from prices import Money
from pytest_django import Settings
from saleor.account.models import User
from saleor.order.models import Order
from saleor.page.models import Page
from saleor.product.models import Category, Product, ProductImage, ProductVariant
from saleor.shipping.models import ShippingMethod
from saleor.site.models import SiteSettings

from backend.catalogue.models import Dish, Good
from backend.config.demo.files import FIXTURES, read_rows
from backend.config.demo.pictures import Drawing, draw
from backend.cooperatives.models import Cooperative, Membership, Village
from backend.provenance.models import HarvestLot
from backend.stock.audit import find_drift
from backend.stock.models import Feed, Report, ReportLine, Supply
from tests.fixtures.demo import demo_database  # noqa: F401, a fixture

pytestmark = pytest.mark.django_db

KEEPS = {"grain-oil", "cured-pickled"}


@pytest.fixture(autouse=True)
def its_var(demo_database: Path, settings: Settings) -> Path:  # noqa: F811, the fixture's name
    settings.VAR_DIR = demo_database
    settings.MEDIA_ROOT = str(demo_database / "media")
    return demo_database


def contents() -> dict[str, str]:
    """A digest of each table."""
    digests = {}
    for model in apps.get_models():
        rows = sorted(repr(sorted(row.items())) for row in model._base_manager.values())
        digests[model._meta.label] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return digests


def load(*arguments: str) -> None:
    call_command("seed_demo", *arguments, stdout=io.StringIO())


# ---- Loading ---------------------------------------------------------------------------------------------------------


def test_loading_twice_changes_nothing(its_var: Path) -> None:
    before, accounts = contents(), (its_var / "demo-accounts.json").read_bytes()
    pictures = {path: path.stat().st_mtime_ns for path in (its_var / "media").rglob("*") if path.is_file()}
    load()
    assert contents() == before
    assert (its_var / "demo-accounts.json").read_bytes() == accounts
    assert {path: path.stat().st_mtime_ns for path in pictures} == pictures


def test_loading_again_keeps_what_was_edited_and_brings_back_what_is_missing() -> None:
    Product.objects.filter(slug="wosun").update(name="本地莴笋")
    ProductVariant.objects.filter(sku="XY-0007-1").update(price_override_amount=Decimal("8.80"))
    Dish.objects.get(slug="huiguorou").delete()
    load("--no-pictures")
    assert Product.objects.get(slug="wosun").name == "本地莴笋"
    assert ProductVariant.objects.get(sku="XY-0007-1").price_override_amount == Decimal("8.80")
    assert [ingredient.name for ingredient in Dish.objects.get(slug="huiguorou").ingredients.all()] == [
        "二刀肉",
        "蒜苗",
        "豆瓣酱",
        "豆豉",
    ]


def test_a_feed_server_that_moved_is_asked_at_its_new_address() -> None:
    Feed.objects.update(etag='"what the old address said"')
    load("--no-pictures", "--feeds-url=http://127.0.0.1:9010")
    assert set(Feed.objects.values_list("url", "etag")) == {
        ("http://127.0.0.1:9010/baima/stock.json", ""),
        ("http://127.0.0.1:9010/fuxing/stock.xlsx", ""),
        ("http://127.0.0.1:9010/lihua/stock.json", ""),
        ("http://127.0.0.1:9010/zengjiaya/stock.xlsx", ""),
    }


# ---- What is in it ---------------------------------------------------------------------------------------------------


def test_the_shop_is_as_large_as_promised() -> None:
    sizes: dict[type[Model], int] = {
        Product: 60,
        Good: 60,
        Dish: 25,
        Village: 7,
        Cooperative: 4,
        Category: 10,
        Feed: 4,
        Page: 5,
    }
    assert {model: model._default_manager.count() for model in sizes} == sizes
    assert Product.objects.published().count() == 60
    shop = SiteSettings.objects.get()
    assert (shop.site.name, shop.top_menu.items.count(), shop.bottom_menu.items.count()) == (
        "信义菜篮",
        11,
        5,
    )


def test_every_good_can_be_read_in_english_and_bought_in_a_pack() -> None:
    for product in Product.objects.prefetch_related("translations", "variants__translations"):
        assert [translation.language_code for translation in product.translations.all()] == ["en"], product
        variants = list(product.variants.all())
        assert variants, product
        assert product.minimal_variant_price_amount == min(v.price_override_amount for v in variants), product
        assert all(variant.translations.all() for variant in variants), product


def test_everything_says_that_it_is_demo_data() -> None:
    assert not Good.objects.filter(is_demo=False).exists()
    assert not Cooperative.objects.filter(is_demo=False).exists()
    assert not HarvestLot.objects.filter(is_demo=False).exists()
    assert all(product.metadata == {"demo": "true"} for product in Product.objects.all())
    assert all(lot.certificate_number.startswith("示例-") for lot in HarvestLot.objects.all())


def test_no_text_makes_a_claim_that_the_law_forbids() -> None:
    forbidden = re.compile(
        r"最|纯天然|有机|绿色|地理标志|郫县|涪陵|汉源|治疗|降血|养生|\borganic\b|\ball.natural\b", re.I
    )
    for path in [*FIXTURES.glob("*.csv"), *FIXTURES.glob("*.json"), *FIXTURES.glob("texts/*.json")]:
        assert not forbidden.findall(path.read_text(encoding="utf-8")), path


def test_what_has_a_net_weight_has_a_price_per_500_g_and_pieces_have_none() -> None:
    without_weight = set(
        ProductVariant.objects.filter(weight__isnull=True).values_list("product__slug", flat=True)
    )
    assert without_weight == {"nuo-yumi", "tujidan", "xinyi-chuancai-lihe", "caizhai-piao"}
    assert ProductVariant.objects.get(sku="XY-0048-1").weight.g == 4600


def test_packs_of_one_supply_share_its_base_units_and_some_goods_come_from_two_sheds() -> None:
    wosun = Supply.objects.get(cooperative__slug="fuxing", code="XY-0007")
    assert sorted(wosun.packs.values_list("variant__sku", "units")) == [
        ("XY-0007-1", 1000),
        ("XY-0007-2", 3000),
    ]
    twice = Product.objects.annotate(sheds=Count("supplies__cooperative", distinct=True)).filter(sheds=2)
    assert twice.count() == 8


def test_pieces_are_counted_as_pieces() -> None:
    eggs = Supply.objects.get(code="XY-0051")
    assert (eggs.unit, eggs.container_name, eggs.container_units) == (Supply.Unit.PIECE, "板", 30)
    assert sorted(eggs.packs.values_list("units", flat=True)) == [10, 30]


def test_the_van_is_free_from_59_yuan_and_pick_up_always() -> None:
    def offered(amount: str) -> dict[str, Decimal]:
        methods = ShippingMethod.objects.applicable_shipping_methods(
            price=Money(amount, "CNY"), weight=0, country_code="CN"
        )
        return {method.meta["demo_key"]: method.price_amount for method in methods}

    pick_up = {
        f"pick-up-{place}": Decimal(0)
        for place in ("baima-park", "liujiachang", "fuxing", "lihua", "zengjiaya")
    }
    assert offered("58.99") == {"own-van": Decimal(6), "next-day": Decimal(12), **pick_up}
    assert offered("59.00") == {"own-van-free": Decimal(0), "next-day": Decimal(12), **pick_up}


# ---- The first counts ------------------------------------------------------------------------------------------------


def test_what_is_in_season_lies_in_the_sheds_and_the_rest_does_not() -> None:
    # The harvest comes in at six.
    month = (timezone.localtime() - timedelta(hours=6)).month
    held = set(Supply.objects.filter(on_hand__gt=0).values_list("product__slug", flat=True))
    in_season = {
        good.product.slug for good in Good.objects.select_related("product") if good.in_season(month=month)
    }
    # A package keeps until the next season.
    keeps = {row["slug"] for row in read_rows("goods") if row["category"] in KEEPS} | {"gan-huajiao"}
    assert len(held & in_season) >= 0.8 * len(in_season)
    assert held <= in_season | keeps


def test_the_counts_came_by_reports_and_the_ledger_agrees_with_the_shelf() -> None:
    reports = Report.objects.filter(source=Report.Source.FEED)
    assert sorted(reports.values_list("cooperative__slug", "status")) == [
        ("baima", Report.Status.APPLIED),
        ("fuxing", Report.Status.APPLIED),
        ("lihua", Report.Status.APPLIED),
        ("zengjiaya", Report.Status.APPLIED),
    ]
    assert list(find_drift()) == []


def test_an_untidy_row_is_refused_with_its_place_and_a_reason_and_the_others_go_through() -> None:
    lines = ReportLine.objects.filter(report__cooperative__slug="fuxing")
    scallion = lines.get(code="XY-0015")
    assert (scallion.raw.startswith("约30斤"), scallion.column, scallion.outcome) == (
        True,
        "C 库存",
        ReportLine.Outcome.WAITING,
    )
    assert scallion.message
    assert lines.filter(outcome=ReportLine.Outcome.ACCEPTED).count() > 25
    unknown = ReportLine.objects.get(report__cooperative__slug="baima", code="XY-0999")
    assert unknown.outcome == ReportLine.Outcome.WAITING


def test_every_good_in_a_shed_has_a_lot_that_keeps_and_a_certificate() -> None:
    for supply in Supply.objects.filter(on_hand__gt=0).select_related("lot"):
        assert supply.lot is not None, supply
        assert supply.lot.product_id == supply.product_id
        assert supply.lot.best_before >= timezone.localdate()


# ---- Pictures --------------------------------------------------------------------------------------------------------


def test_every_picture_is_there_in_every_size_that_pages_ask_for(its_var: Path, settings: Settings) -> None:
    images = list(ProductImage.objects.all())
    assert {image.product.slug for image in images} == {
        path.stem for path in (FIXTURES / "pictures" / "goods").glob("*.svg")
    }
    for image in images:
        for _key, rendition in settings.VERSATILEIMAGEFIELD_RENDITION_KEY_SETS["products"]:
            method, size = rendition.split("__")
            thumbnail = its_var / "media" / getattr(image.image, method)[size].name
            with Image.open(thumbnail) as picture:
                assert (picture.format, picture.size) == (
                    "WEBP",
                    tuple(int(side) for side in size.split("x")),
                )


def test_a_drawing_that_was_changed_is_drawn_again(tmp_path: Path) -> None:
    svg = tmp_path / "a.svg"
    svg.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="5" height="10"/></svg>'
    )
    drawing = Drawing(svg=svg, targets=((60, tmp_path / "a-60.webp"),))
    assert not drawing.is_done
    draw(drawing)
    assert drawing.is_done
    with Image.open(tmp_path / "a-60.webp") as picture:
        pixels = picture.convert("RGB")
        left, right = pixels.getpixel((10, 30)), pixels.getpixel((50, 30))
    assert isinstance(left, tuple) and isinstance(right, tuple)
    # Ink on the left, paper on the right.
    assert max(left) < 20
    assert all(abs(value - paper) < 6 for value, paper in zip(right, (0xF4, 0xEF, 0xE3), strict=True))
    later = svg.stat().st_mtime + 10
    os.utime(svg, (later, later))
    assert not drawing.is_done


# ---- People and orders -----------------------------------------------------------------------------------------------


def accounts(var: Path) -> dict[str, dict[str, Any]]:
    return {entry["email"]: entry for entry in json.loads((var / "demo-accounts.json").read_text("utf-8"))}


def test_the_cast_can_sign_in_and_only_the_owner_reads_their_passwords(its_var: Path) -> None:
    assert stat.S_IMODE((its_var / "demo-accounts.json").stat().st_mode) == 0o600
    written = accounts(its_var)
    assert set(written) == {
        "wang@baima.example",
        "chen@fuxing.example",
        "li@buyer.example",
        "zhao@town.example",
        "admin@xinyi.example",
    }
    for email, account in written.items():
        assert User.objects.get(email=email).check_password(account["password"]), email


def test_each_of_the_cast_may_do_what_the_part_asks_and_no_more() -> None:
    wang, zhao = User.objects.get(email="wang@baima.example"), User.objects.get(email="zhao@town.example")
    assert list(Membership.objects.values_list("user__email", "cooperative__slug")) == [
        ("wang@baima.example", "baima"),
        ("chen@fuxing.example", "fuxing"),
    ]
    assert not wang.is_staff
    assert zhao.is_staff
    assert not zhao.is_superuser
    assert zhao.get_all_permissions() == {"page.manage_pages", "menu.manage_menus"}
    assert User.objects.get(email="li@buyer.example").default_shipping_address.city == "绵阳市"


def test_somebody_whose_password_is_not_known_gets_a_new_one(
    its_var: Path, tmp_path: Path, settings: Settings
) -> None:
    old = accounts(its_var)["wang@baima.example"]["password"]
    settings.VAR_DIR = tmp_path
    load("--no-pictures")
    new = accounts(tmp_path)["wang@baima.example"]["password"]
    wang = User.objects.get(email="wang@baima.example")
    assert wang.check_password(new)
    assert not wang.check_password(old)


def test_sample_orders_are_marked_and_have_nobody_behind_them() -> None:
    orders = list(Order.objects.select_related("shipping_address"))
    assert len(orders) == 40
    assert {(order.metadata["demo"], order.user_id, order.user_email) for order in orders} == {
        ("true", None, "")
    }
    assert {(order.shipping_address.last_name, str(order.shipping_address.phone)) for order in orders} == {
        ("示例顾客", "")
    }
    days = {(timezone.localdate() - timezone.localdate(order.created)).days for order in orders}
    assert days <= set(range(8))
    assert len(days) >= 7


def test_sample_orders_of_earlier_days_were_packed_and_paid() -> None:
    today = timezone.localdate(Report.objects.earliest("received_at").received_at)
    for order in Order.objects.all():
        is_old = timezone.localdate(order.created) < today
        assert order.is_fully_paid() == is_old
        assert (order.status == "fulfilled") == is_old
