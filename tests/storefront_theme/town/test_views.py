"""The town's pages on the real API: 赵干事 shows them to visitors."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from backend.brand.models import Campaign
from backend.cooperatives.models import Village
from backend.ordering.services import place_order
from tests import produce
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def shed() -> produce.Shed:
    shed = produce.a_shed(on_hand=10_000)
    village = shed.cooperative.village
    Village.objects.filter(pk=village.pk).update(
        name="白马村", story="田在村口。<b>一</b>", picture="baima.svg"
    )
    Village.objects.create(
        slug="fuxing", name="福星村", name_en="Fuxing village", summary="", picture="", map_x=900, map_y=900
    )
    Campaign.objects.create(
        slug="corridor",
        title="百里川菜长廊",
        title_en="The corridor",
        body="一段话。",
        body_en="A few words.",
    )
    return shed


def test_the_brand_page_tells_every_campaign_and_names_every_village(
    client: Client, shed: produce.Shed
) -> None:
    page = client.get("/brand/").content.decode()
    assert "百里川菜长廊" in page
    assert "一段话。" in page
    assert 'href="/villages/fuxing/"' in page
    assert 'href="/villages/baima/"' in page


def test_the_villages_are_listed_and_drawn(client: Client, shed: produce.Shed) -> None:
    page = client.get("/villages/").content.decode()
    assert len(re.findall(r'<circle class="spot"', page)) == Village.objects.count()
    assert 'href="/villages/fuxing/"' in page


def test_a_village_shows_its_story_its_cooperative_and_the_way_to_the_others(
    client: Client, shed: produce.Shed
) -> None:
    page = client.get("/villages/baima/").content.decode()
    assert "田在村口。&lt;b&gt;一&lt;/b&gt;" in page
    assert 'href="/cooperatives/baima/"' in page
    assert 'href="/villages/fuxing/"' in page


def test_a_village_that_is_not_there_is_not_found(client: Client, shed: produce.Shed) -> None:
    assert client.get("/villages/atlantis/").status_code == 404


def test_the_town_speaks_english_when_asked(client: Client, shed: produce.Shed) -> None:
    assert "The corridor" in client.get("/brand/?lang=en").content.decode()


def test_the_board_counts_an_order_as_soon_as_it_is_placed(client: Client, shed: produce.Shed) -> None:
    def orders() -> str:
        page = client.get("/wall/?lang=en").content.decode()
        found = re.search(r"<dt>Orders today</dt>\s*<dd>(\d+)</dd>", page)
        assert found
        return found[1]

    assert orders() == "0"
    place_order(request=a_request(shed), user=None, now=timezone.now())
    assert orders() == "1"


def test_the_board_renews_itself_and_knows_no_person(client: Client, shed: produce.Shed) -> None:
    place_order(request=a_request(shed), user=None, now=timezone.now())
    answer = client.get("/wall/")
    page = answer.content.decode()
    assert re.search(r'<noscript>\s*<meta http-equiv="refresh" content="60">\s*</noscript>', page)
    assert "no-store" in answer["Cache-Control"]
    for private in ("秀英", "13800138000", "138****", "白马路"):
        assert private not in page


def test_no_page_needs_inline_style_or_script(client: Client, shed: produce.Shed) -> None:
    for path in ("/brand/", "/villages/", "/villages/baima/", "/wall/"):
        page = client.get(path).content.decode()
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", page)
