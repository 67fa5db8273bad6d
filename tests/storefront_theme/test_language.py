"""Chinese, unless somebody asks for English."""

import pytest
from django.test import Client

from tests import produce

pytestmark = pytest.mark.django_db


def test_a_phone_that_speaks_english_still_gets_chinese(client: Client) -> None:
    answer = client.get("/basket/", headers={"accept-language": "en-US,en"})
    assert '<html lang="zh-Hans">' in answer.content.decode()
    assert answer["Content-Language"] == "zh-hans"


def test_the_switch_stays_switched(client: Client) -> None:
    answer = client.post("/i18n/set/", {"language": "en", "next": "/basket/"})
    assert answer["Location"] == "/basket/"
    page = client.get("/basket/").content.decode()
    assert '<html lang="en">' in page
    assert "The basket is empty." in page
    client.post("/i18n/set/", {"language": "zh-hans", "next": "/basket/"})
    assert "菜篮还空着。" in client.get("/basket/").content.decode()


def test_a_link_may_choose_and_is_remembered(client: Client) -> None:
    assert '<html lang="en">' in client.get("/basket/?lang=en").content.decode()
    assert '<html lang="en">' in client.get("/basket/").content.decode()


@pytest.mark.parametrize("asked", ["fr", "", "../../etc/passwd"])
def test_a_language_that_we_do_not_speak_is_chinese(client: Client, asked: str) -> None:
    client.cookies["django_language"] = asked
    assert '<html lang="zh-Hans">' in client.get("/basket/").content.decode()
    assert '<html lang="zh-Hans">' in client.get("/basket/", {"lang": asked}).content.decode()


def test_goods_have_their_english_names(client: Client) -> None:
    shed = produce.a_shed()
    shed.product.translations.create(language_code="en", name="Celtuce")
    assert "莴笋" in client.get("/p/wosun/").content.decode()
    page = client.get("/p/wosun/?lang=en").content.decode()
    assert "Celtuce" in page
    assert "Into the basket" in page
