"""王会计's ordinary Monday: three goods have changed; she says so on the phone, and sees it in the shop.

How long that takes is estimated by the keystroke-level model (Card, Moran and Newell, 1980), whose figures are written
below, from the taps and keys that this test really makes: it reaches for nothing that a thumb could not reach.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.journeys.test_cooperative import quiet_feed, sign_in
from tests.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

__all__ = ["quiet_feed"]

TAP_S = 1.1
"""To point at something and touch it (P)."""

KEY_S = 0.28
"""One key, of somebody who types now and then (K)."""

THINK_S = 1.35
"""To make up one's mind (M): once for each good, and once before saving."""

FLICK_S = 1.1
"""To move the page on by at most two thirds of the screen: counted like a tap."""

DOUBLE_TAP_MS = 400
"""Two taps on one spot within 300 ms are a double tap to Chromium: it selects what is there, and what is typed is lost."""

ANSWER_S = 2.0
"""Until a page is there, on a phone in a village: far longer than the shop needs."""

MOST_SECONDS = 60
MOST_TOUCHES = 15


@dataclass
class Thumb:
    """Touches a page as a thumb does, and counts."""

    page: Page
    taps: int = 0
    keys: int = 0
    flicks: int = 0
    thoughts: int = 0
    answers: int = 0
    said: list[str] = field(default_factory=list)

    def tap(self, target: Locator, *, opens: str = "") -> None:
        self.flick_to(target)
        target.tap()
        self.taps += 1
        if opens:
            self.page.wait_for_url(opens)
            self.answers += 1

    def flick_to(self, target: Locator) -> None:
        before = self.page.evaluate("scrollY")
        target.scroll_into_view_if_needed()
        moved = abs(self.page.evaluate("scrollY") - before)
        self.flicks += math.ceil(moved / (self.page.viewport_size["height"] * 2 / 3))  # type: ignore[index]  # it has one
        # The next good stands where the last one stood, and no thumb is there again so soon.
        self.page.wait_for_timeout(DOUBLE_TAP_MS)

    def type(self, text: str, *, into: Locator) -> None:
        self.tap(into)
        # A busy machine takes its time until the keyboard is there; lost keys are nobody's slip.
        expect(into).to_be_focused(timeout=30_000)
        for key in text:
            self.page.keyboard.press(key)
            self.keys += 1

    def think(self) -> None:
        self.thoughts += 1

    @property
    def seconds(self) -> float:
        return (
            self.taps * TAP_S
            + self.keys * KEY_S
            + self.flicks * FLICK_S
            + self.thoughts * THINK_S
            + self.answers * ANSWER_S
        )


@pytest.mark.usefixtures("quiet_feed")
def test_an_ordinary_monday_takes_less_than_a_minute_on_a_phone(phone: Page, shop: Shop) -> None:
    # Signed in since last week: the session lasts for two weeks.
    sign_in(phone, shop, email="wang@baima.example")
    phone.goto("about:blank")

    # The desk's icon on the phone's first screen.
    thumb = Thumb(page=phone, taps=1, answers=1)
    phone.goto("/desk/")

    row = phone.locator("li.count-row", has=phone.get_by_label("儿菜", exact=True))
    promised = re.search(r"已订 ([\d.]+)", row.locator(".stands").inner_text())
    left = str(math.ceil(float(promised[1]) if promised else 0) + 310)
    # A little more than yesterday: ten times as much would be asked about.
    yesterday = float(phone.get_by_label("红油菜薹", exact=True).get_attribute("placeholder") or 0)
    for name, figure in (("儿菜", left), ("红油菜薹", str(math.ceil(yesterday) + 3))):
        thumb.think()
        thumb.type(figure, into=phone.get_by_label(name, exact=True))
    thumb.think()
    sold_out = phone.locator("li.count-row", has=phone.get_by_label("川味腊肉", exact=True))
    thumb.tap(sold_out.locator("label.sold"))
    thumb.think()
    thumb.tap(phone.get_by_role("button", name="保存"), opens="**/desk/saved/**")
    phone.get_by_role("heading", name="存好了 3 样").wait_for()
    assert phone.locator(".changes li").count() == 3

    saved = phone.locator(".changes li", has_text="川味腊肉")
    thumb.tap(saved.get_by_role("link", name="看看店里"), opens="**/p/chuanwei-larou/")
    assert "售罄" in phone.locator("main").inner_text() or "卖完" in phone.locator("main").inner_text()

    touches = thumb.taps + thumb.keys
    print(
        f"\nMonday: {thumb.taps} taps, {thumb.keys} keys, {thumb.flicks} flicks, "
        f"{thumb.thoughts} thoughts, {thumb.answers} pages: {thumb.seconds:.1f} s"
    )
    assert touches <= MOST_TOUCHES
    assert thumb.seconds < MOST_SECONDS
