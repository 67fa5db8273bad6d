"""李婶 finds what she wants: on a shelf that she narrows, and by whatever name she knows. With JavaScript, and without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SHELF = "/c/roots-stems/"


def goods(page: Page) -> list[str]:
    # Not the inner text: of what is far below the screen and was not drawn yet, that is nothing.
    return [name.strip() for name in page.locator(".shelf h3").all_text_contents()]


def open_choices(page: Page) -> None:
    """On a phone the choices are folded up; on a wide screen they stand beside the shelf."""
    summary = page.locator("details.narrow summary")
    if summary.is_visible():
        summary.click()


def choice(page: Page, name: str) -> Locator:
    return page.locator("details.narrow").get_by_role("link", name=re.compile(rf"^{name} \d"))


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def narrow_and_take_back(page: Page) -> None:
    page.goto(SHELF)
    everything = goods(page)
    open_choices(page)
    choice(page, "曾家垭村").click()
    page.wait_for_url("**village=zengjiaya")
    assert goods(page) == ["红苕"]
    open_choices(page)
    choice(page, "白马产业园").click()
    page.wait_for_url("**village=baima-park,zengjiaya")
    page.get_by_role("link", name="每斤价").click()
    page.wait_for_url("**&sort=price")
    assert asked(page) == {"village": ["baima-park,zengjiaya"], "sort": ["price"]}
    assert set(goods(page)) == {"红苕", "青菜头", "儿菜"}
    page.get_by_role("link", name="全部都要看").first.click()
    page.wait_for_url(f"**{SHELF}?sort=price")
    assert sorted(goods(page)) == sorted(everything)


def test_a_shelf_is_narrowed_on_a_phone_and_widened_again(phone: Page) -> None:
    narrow_and_take_back(phone)


def test_a_shelf_is_narrowed_on_a_desk_and_widened_again(desktop: Page) -> None:
    narrow_and_take_back(desktop)


def test_a_link_to_a_narrowed_shelf_shows_others_the_same(phone: Page) -> None:
    phone.goto(f"{SHELF}?sort=price&stock=in&village=fuxing&utm_source=chat")
    assert phone.locator("link[rel=canonical]").get_attribute("href", timeout=1_000) is not None
    assert phone.get_by_role("link", name=re.compile("福星村.*取消")).is_visible()
    assert "红苕" not in goods(phone)


@pytest.mark.parametrize(
    ("typed", "first"),
    [("折耳跟", "折耳根"), ("ejt", "泡二荆条"), ("洋芋", "土豆"), ("celtuce", "莴笋")],
)
def test_a_name_that_is_not_quite_right_finds_the_good(phone: Page, typed: str, first: str) -> None:
    phone.goto("/search/")
    field = phone.get_by_role("main").locator("input[name=q]")
    field.fill(typed)
    field.press("Enter")
    phone.wait_for_url("**/search/?q=*")
    assert first in goods(phone)[:3]


def test_a_dish_s_name_finds_the_dish_and_what_it_takes(desktop: Page) -> None:
    desktop.goto("/search/?q=回锅肉")
    assert {"二刀肉", "蒜苗", "豆瓣酱"} <= set(goods(desktop))
    desktop.get_by_role("main").get_by_role("link", name="回锅肉").click()
    desktop.wait_for_url("**/dishes/huiguorou/")


def test_a_search_that_finds_nothing_leads_on(phone: Page) -> None:
    phone.goto("/search/?q=榴莲")
    main = phone.get_by_role("main")
    assert main.get_by_text("没有找到叫这个名字的菜。").is_visible()
    assert goods(phone)
    main.get_by_role("navigation", name="分类").get_by_role("link", name="时令水果").click()
    phone.wait_for_url("**/c/fruit/")


def test_search_speaks_english(phone: Page) -> None:
    phone.goto("/search/?q=aubergine&lang=en")
    assert goods(phone)[0] == "Eggplant"
    phone.goto("/search/?q=durian")
    assert phone.get_by_text("Nothing here is called that.").is_visible()


@pytest.mark.parametrize("javascript", [True], indirect=True, ids=["javascript"])
def test_suggestions_are_chosen_by_keyboard(desktop: Page) -> None:
    desktop.goto("/")
    field = desktop.get_by_role("banner").locator("input[name=q]")
    field.press_sequentially("haijiao")
    options = desktop.get_by_role("option")
    options.first.wait_for()
    assert field.get_attribute("aria-expanded") == "true"
    field.press("ArrowDown")
    assert options.first.get_attribute("aria-selected") == "true"
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    field.press("ArrowUp")
    assert field.get_attribute("aria-activedescendant") is None
    field.press("Escape")
    options.first.wait_for(state="hidden")
    assert field.input_value() == "haijiao"
    field.press("ArrowDown")
    options.first.wait_for()
    field.press("ArrowDown")
    field.press("Enter")
    desktop.wait_for_url("**/p/*/")


@pytest.mark.parametrize("javascript", [True], indirect=True, ids=["javascript"])
def test_a_suggestion_is_tapped_and_enter_searches_as_ever(phone: Page) -> None:
    phone.goto("/search/")
    field = phone.get_by_role("main").locator("input[name=q]")
    field.press_sequentially("鱼腥")
    phone.get_by_role("option", name="折耳根 鱼腥草", exact=True).click()
    phone.wait_for_url("**/p/zheergen/")
    phone.goto("/search/")
    field.press_sequentially("鱼腥")
    phone.get_by_role("option").first.wait_for()
    field.press("Enter")
    phone.wait_for_url("**/search/?q=*")
    assert goods(phone)[0] == "折耳根"
