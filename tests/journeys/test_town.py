"""赵干事 shows the town: the brand, the villages, and the board on the wall. With JavaScript, and without."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.browser import Visitors

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = ["/brand/", "/villages/", "/villages/fuxing/", "/wall/"]


def test_from_the_brand_to_a_village_to_a_good(phone: Page) -> None:
    phone.goto("/brand/")
    assert phone.get_by_role("heading", name="三信三义").is_visible()
    assert phone.get_by_role("heading", name="百里川菜长廊").is_visible()
    phone.get_by_role("heading", name="福星村").get_by_role("link").click()
    phone.wait_for_url("**/villages/fuxing/")
    assert phone.get_by_role("link", name="福星村蔬菜专业合作社").is_visible()
    good = phone.locator(".shelf h3 a").first
    name = good.inner_text()
    good.click()
    phone.wait_for_url("**/p/**")
    assert name in phone.get_by_role("heading", level=1).inner_text()


def test_every_village_of_the_map_has_a_page(phone: Page) -> None:
    phone.goto("/villages/")
    names = phone.locator(".scene h2").all_inner_texts()
    assert len(names) == 7
    assert phone.locator("svg.map circle.spot").count() == len(names)
    for place, name in enumerate(names):
        phone.goto("/villages/")
        phone.locator(".scene h2 a").nth(place).click()
        assert phone.get_by_role("heading", level=1).inner_text() == name


def test_the_board_fits_the_screen_on_the_wall(visitors: Visitors) -> None:
    wall = visitors.come(width=1920, height=1080)
    wall.goto("/wall/")
    size = wall.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [1920, 1080]
    cut = wall.evaluate(
        """() => [...document.querySelectorAll('main li, main dd, main h2, main svg')].filter(e => {
            const box = e.getBoundingClientRect();
            return box.bottom > innerHeight - 20 || box.right > innerWidth - 20 || box.left < 20;
        }).map(e => e.outerHTML.slice(0, 60))"""
    )
    assert cut == []
    assert wall.locator(".figures dd").count() <= 6
    assert wall.get_by_text("示例数据").is_visible()


def test_the_board_has_real_figures_and_no_person(phone: Page) -> None:
    phone.goto("/wall/")
    text = phone.locator("main").inner_text()
    assert re.search(r"数据截至 \d\d:\d\d:\d\d", text)
    assert re.search(r"今日订单\s+\d+", text)
    assert phone.locator("svg.chart rect").count() == 7
    assert not re.search(r"1[3-9]\d\*{0,4}\d{4}", text)


def test_the_board_renews_itself_and_keeps_its_figures_while_nobody_answers(visitors: Visitors) -> None:
    wall = visitors.come(width=1920, height=1080)
    wall.clock.install()
    wall.goto("/wall/")
    before = wall.locator(".stamp span").first.inner_text()
    wall.route("**/wall/", lambda route: route.abort())
    wall.clock.run_for(61_000)
    wall.get_by_text("连接断了，正在重试").wait_for()
    assert wall.locator(".stamp span").first.inner_text() == before
    wall.unroute("**/wall/")
    # The stamp counts seconds, and all of this may have taken less than one: a renewal may show the same.
    deadline = time.monotonic() + 60
    while wall.locator(".stamp span").first.inner_text() == before:
        assert time.monotonic() < deadline
        wall.clock.run_for(61_000)
        wall.wait_for_timeout(500)
    assert not wall.get_by_text("连接断了，正在重试").is_visible()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_of_the_town_is_wider_than_its_screen(visitors: Visitors, path: str, width: int) -> None:
    said: list[str] = []
    page = visitors.come(width=width, height=800)
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_speak_english(visitors: Visitors, path: str) -> None:
    page = visitors.come()
    page.goto(f"{path}?lang=en")
    assert page.locator("html").get_attribute("lang") == "en"
    headings = " ".join(page.locator("main h2").all_inner_texts())
    assert headings
    assert not re.search(r"[\u4e00-\u9fff]", headings)
