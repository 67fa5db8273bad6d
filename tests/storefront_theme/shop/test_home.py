"""The leaf of the day."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client

from backend.brand.models import Campaign
from backend.catalogue.models import Dish, Good, Ingredient
from tests import produce


@pytest.mark.django_db
def test_the_day_begins_with_its_solar_term_and_what_is_in_season(client: Client) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 16, 30, tzinfo=UTC), tick=False):
        shed = produce.a_shed()
        Good.objects.filter(product=shed.product).update(season_months=[10, 11, 12])
        cooked = Dish.objects.create(slug="liangban", name="凉拌莴笋", name_en="Celtuce salad")
        Ingredient.objects.create(
            dish=cooked, name="莴笋", name_en="celtuce", product=shed.product, amount=300
        )
        page = client.get("/").content.decode()
    # 00:30 on the 23rd in China, a day later than in Greenwich.
    assert "11月23日" in page
    assert "小雪" in page
    assert 'href="/p/wosun/"' in page
    assert "凉拌莴笋" in page
    assert 'href="/cooperatives/baima/"' in page


@pytest.mark.django_db
def test_an_empty_shop_has_a_home_all_the_same(client: Client) -> None:
    assert client.get("/").status_code == 200


@pytest.mark.django_db
def test_what_comes_next_is_told_and_what_is_there_is_not(client: Client) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 16, 30, tzinfo=UTC), tick=False):
        for slug, months in (("now", [11, 12]), ("next", [1, 2]), ("later", [5]), ("always", [])):
            product = produce.a_product(name=f"菜{slug}", slug=slug)
            Good.objects.filter(product=product).update(season_months=months)
        page = client.get("/").content.decode()
        soon = page.partition('id="soon"')[2].partition("</section>")[0]
        year = client.get("/calendar/").content.decode().partition("<main")[2]
    assert 'href="/p/next/"' in soon
    assert not any(f'href="/p/{slug}/"' in soon for slug in ("now", "later", "always"))
    places = [year.index(f'href="/p/{slug}/"') for slug in ("now", "next", "later")]
    assert places == sorted(places)
    assert 'href="/p/always/"' not in year


@pytest.mark.django_db
def test_the_corridor_has_a_place_of_its_own(client: Client) -> None:
    Campaign.objects.create(
        slug="baili-chuancai-changlang", title="百里川菜长廊", title_en="x", body="沿路", body_en="x"
    )
    Campaign.objects.create(slug="sanxin-sanyi", title="三信三义", title_en="x", body="x", body_en="x")
    page = client.get("/").content.decode()
    assert page.count("百里川菜长廊") == 1
    assert page.index("百里川菜长廊") < page.index("三信三义")
