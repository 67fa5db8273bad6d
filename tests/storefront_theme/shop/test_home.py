"""The leaf of the day."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client

from backend.catalogue.models import Dish, Good, Ingredient
from storefront_theme.shop.views.home import dishes_of_the_day
from tests import produce


def dish(name: str, *in_season: bool) -> dict[str, object]:
    ingredients = [{"name": "x", "product": {"slug": "x", "good": {"inSeason": one}}} for one in in_season]
    return {"slug": name, "name": name, "ingredients": [*ingredients, {"name": "盐", "product": None}]}


def test_dishes_whose_vegetables_are_out_of_season_are_not_offered() -> None:
    found = dishes_of_the_day([dish("a", True), dish("b", True, False), dish("c")], day_number=3)
    assert [one["name"] for one in found] == ["a"]


def test_every_dish_of_the_season_has_its_day() -> None:
    dishes = [dish(name, True) for name in "abcdefgh"]
    shown = {one["name"] for number in range(8) for one in dishes_of_the_day(dishes, day_number=number)}
    assert shown == set("abcdefgh")
    assert dishes_of_the_day(dishes, day_number=1)[0]["name"] == "b"


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
