"""Visitors in the system's Chromium. Playwright brings no browser of its own here."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from tests.databases import KEPT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def find_chromium() -> str | None:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    return None


@contextmanager
def open_chromium(executable: str) -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, headless=True, chromium_sandbox=False, args=QUIET
        )
        try:
            yield browser
        finally:
            browser.close()


class Visitors:
    """People who look at one shop, each in a browser profile of their own."""

    def __init__(self, *, browser: "Browser", base_url: str) -> None:
        self.browser = browser
        self.base_url = base_url
        self.contexts: list[BrowserContext] = []

    def __enter__(self) -> "Visitors":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for context in self.contexts:
            context.close()

    def come(
        self,
        *,
        width: int = 390,
        height: int = 844,
        javascript: bool = True,
        colours: Literal["light", "dark"] = "light",
        service_worker: bool = True,
    ) -> "Page":
        """A new person with a screen of width x height CSS pixels; a phone where it is narrow.

        service_worker: False for whoever measures what comes over the network.
        """
        narrow = width < 600
        context = self.browser.new_context(
            base_url=self.base_url,
            viewport={"width": width, "height": height},
            device_scale_factor=2 if narrow else 1,
            is_mobile=narrow,
            has_touch=narrow,
            java_script_enabled=javascript,
            color_scheme=colours,
            service_workers="allow" if service_worker else "block",
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        # How long a busy machine may take; a page that never comes is told from it by nothing else.
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        return context.new_page()

    def photograph(self, *, name: str) -> None:
        """Keeps what each of them sees, in var/test/screenshots/, for whoever looks into a failure."""
        directory = KEPT / "screenshots"
        directory.mkdir(parents=True, exist_ok=True)
        safe = re.sub(r"[^\w-]+", "_", name)
        for number, context in enumerate(self.contexts):
            for page in context.pages:
                page.screenshot(path=directory / f"{safe}-{number}.png", full_page=True)
