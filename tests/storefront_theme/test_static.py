"""What a page weighs, and whether its colours can be read."""

import gzip
import re
from pathlib import Path

import pytest

import storefront_theme

STATIC = Path(storefront_theme.__file__).parent / "static"
TEMPLATES = Path(storefront_theme.__file__).parent / "templates"


def packed(name: str) -> int:
    return len(gzip.compress((STATIC / name).read_bytes(), mtime=0))


def test_the_style_sheet_keeps_its_budget() -> None:
    for more in ("town.css", "search.css"):
        assert packed("tokens.css") + packed("shop.css") + packed("print.css") + packed(more) <= 12 * 1024


def test_the_script_keeps_its_budget() -> None:
    assert packed("shop.js") <= 10 * 1024


def test_no_page_carries_a_style_or_a_script_of_its_own() -> None:
    """The policy allows none, so one that slipped in would be dead."""
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path


def test_nothing_comes_from_elsewhere() -> None:
    for path in [*TEMPLATES.rglob("*.html"), *STATIC.glob("*.css"), *STATIC.glob("*.js")]:
        for address in re.findall(r"(?:src|url|import)\W{1,3}(https?://[^\s\"')]+)", path.read_text("utf-8")):
            raise AssertionError(f"{path} loads {address}")


def test_the_page_for_our_own_errors_needs_no_tag_and_finds_its_files() -> None:
    """It names files without their hashes: what broke may be what knows them."""
    text = (TEMPLATES / "500.html").read_text("utf-8")
    assert "{%" not in text
    assert "{{" not in text
    files = re.findall(r'"/static/([^"]+)"', text)
    assert "shop.css" in files
    assert [name for name in files if not (STATIC / name).exists()] == []


def colours(scheme: str) -> dict[str, str]:
    sheet = (STATIC / "tokens.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)[:2]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))
    return found


def contrast(one: str, other: str) -> float:
    """As WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "text, ground",
    [
        *((text, ground) for text in ("ink", "soft", "leaf", "chili") for ground in ("paper", "sheet")),
        *((text, "plate") for text in ("ink", "soft")),
        ("ink", "leaf-wash"),
        ("leaf", "leaf-wash"),
        ("chili", "leaf-wash"),
        ("soft", "leaf-wash"),
        ("ink", "warn-wash"),
        ("chili", "warn-wash"),
        ("on-call", "call"),
        ("paper", "leaf"),
    ],
)
def test_texts_can_be_read(scheme: str, text: str, ground: str) -> None:
    found = colours(scheme)
    assert contrast(found[text], found[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edges_of_fields_can_be_seen(scheme: str) -> None:
    found = colours(scheme)
    assert contrast(found["edge"], found["sheet"]) >= 3
