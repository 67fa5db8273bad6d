"""李婶 shops by dish on her phone: ticks dishes, says for how many, and has all of it in the basket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import Visitors

if TYPE_CHECKING:
    from playwright.sync_api import Page

SEVERAL = "/dishes/list/?dish=mapo-doufu&dish=huiguorou&dish=hupi-qingjiao&people=4"


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_from_dishes_to_the_basket(visitors: Visitors, javascript: bool) -> None:
    page = visitors.come(javascript=javascript)
    page.goto("/dishes/")
    page.get_by_label("回锅肉", exact=True).check()
    page.get_by_label("麻婆豆腐", exact=True).check()
    page.get_by_label("人数").fill("5")
    page.get_by_role("button", name="看要买什么").click()
    page.wait_for_url("**/dishes/list/**")
    assert page.get_by_label("人数").input_value() == "5"
    assert page.get_by_role("heading", name="本店没有的").is_visible()
    packs = sum(
        int(text.split("×")[1]) for text in page.locator(".tobuy .sum p", has_text="×").all_inner_texts()
    )
    assert packs > 0
    page.get_by_role("button", name="全部放进菜篮").click()
    page.wait_for_url("**/basket/")
    quantities = [int(each.input_value()) for each in page.get_by_role("spinbutton").all()]
    assert sum(quantities) == packs


def test_more_people_take_more(phone: Page) -> None:
    phone.goto("/dishes/hupi-qingjiao/?people=2")
    before = phone.locator(".tobuy li").first.inner_text()
    phone.get_by_label("人数").fill("3")
    again = phone.get_by_role("button", name="重新算")
    # With JavaScript the number alone is enough.
    if again.is_visible():
        again.click()
    else:
        phone.get_by_label("人数").blur()
    phone.wait_for_url("**people=3")
    assert phone.locator(".tobuy li").first.inner_text() != before


def test_a_week_leads_to_one_list(phone: Page) -> None:
    phone.goto("/dishes/week/?people=2")
    assert phone.locator(".week > li").count() == 7
    phone.get_by_role("link", name="买这一周的菜").click()
    phone.wait_for_url("**/dishes/list/**")
    assert phone.get_by_role("button", name="全部放进菜篮").is_visible()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", ["/dishes/", "/dishes/week/", "/dishes/huiguorou/", SEVERAL])
def test_no_page_of_the_kitchen_is_wider_than_its_screen(visitors: Visitors, path: str, width: int) -> None:
    said: list[str] = []
    page = visitors.come(width=width, height=800)
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    page.goto(f"{path}{'&' if '?' in path else '?'}lang=en")
    assert page.locator("html").get_attribute("lang") == "en"
