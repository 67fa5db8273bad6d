"""What a page costs whoever opens it: requests and bytes by kind, and how long it takes on a slow phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

# What Lighthouse calls slow 4G, and its slow-down of the processor for a middling phone.
SLOW_4G = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_638_400 / 8,
    "uploadThroughput": 750 * 1024 / 8,
}
SLOW_PROCESSOR = 4

# Milliseconds after the load during which nothing may come any more.
REST_MS = 1_200

WATCH = """
  self.seen = {lcp: 0, cls: 0, blocked: 0};
  new PerformanceObserver((list) => { for (const e of list.getEntries()) seen.lcp = e.startTime; })
    .observe({type: "largest-contentful-paint", buffered: true});
  new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) seen.cls += e.value; })
    .observe({type: "layout-shift", buffered: true});
  new PerformanceObserver((list) => { for (const e of list.getEntries()) seen.blocked += Math.max(0, e.duration - 50); })
    .observe({type: "longtask", buffered: true});
"""

READ = """() => ({
  ...seen,
  answered: performance.getEntriesByType("navigation")[0].responseStart,
  fcp: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
  onFirstScreen: [...document.images]
    .filter((image) => { const box = image.getBoundingClientRect();
                         return box.width && box.top < innerHeight && box.bottom > 0; })
    .map((image) => image.currentSrc),
})"""

KINDS = {"Document": "html", "Stylesheet": "css", "Script": "js", "Image": "pictures"}


@dataclass
class Weight:
    """Of one visit. Bytes as they came over the wire, packed, without headers; times in ms since the visit began.

    first_pictures: bytes of pictures that the first screen shows. requests: of what the first screen is made of.
    ahead: pictures that the browser fetched before anybody scrolled to them. cls: cumulative layout shift.
    answered_ms: when the first byte came. blocked_ms: total blocking time.
    """

    requests: int
    ahead: int
    bytes_of: dict[str, int]
    first_pictures: int
    elsewhere: list[str]
    answered_ms: float
    fcp_ms: float
    lcp_ms: float
    cls: float
    blocked_ms: float


def weigh(page: Page, *, address: str, slow: bool) -> Weight:
    """Opens the address and waits until all has come. slow: on slow 4G with a quarter of the processor."""
    session = page.context.new_cdp_session(page)
    came: dict[str, dict[str, Any]] = {}

    def begins(event: dict[str, Any]) -> None:
        came[event["requestId"]] = {
            "url": event["response"]["url"],
            "kind": KINDS.get(event["type"], "rest"),
            "bytes": 0,
            "head": event["response"]["encodedDataLength"],
        }

    def ends(event: dict[str, Any]) -> None:
        if event["requestId"] in came:
            came[event["requestId"]]["bytes"] = max(
                0, event["encodedDataLength"] - came[event["requestId"]]["head"]
            )

    session.on("Network.responseReceived", begins)
    session.on("Network.loadingFinished", ends)
    session.send("Network.enable")
    if slow:
        session.send("Network.emulateNetworkConditions", SLOW_4G)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_PROCESSOR})
    page.add_init_script(WATCH)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(REST_MS)
    read: dict[str, Any] = page.evaluate(READ)
    session.detach()

    files = [each for each in came.values() if not each["url"].startswith("data:")]
    bytes_of = dict.fromkeys([*KINDS.values(), "rest"], 0)
    for each in files:
        bytes_of[each["kind"]] += each["bytes"]
    first = set(read["onFirstScreen"])
    ahead = sum(each["kind"] == "pictures" and each["url"] not in first for each in files)
    origin = "/".join(page.url.split("/")[:3])
    return Weight(
        requests=len(files) - ahead,
        ahead=ahead,
        bytes_of=bytes_of,
        first_pictures=sum(each["bytes"] for each in files if each["url"] in first),
        elsewhere=[each["url"] for each in files if not each["url"].startswith(f"{origin}/")],
        answered_ms=read["answered"],
        fcp_ms=read["fcp"],
        lcp_ms=read["lcp"],
        cls=read["cls"],
        blocked_ms=read["blocked"],
    )
