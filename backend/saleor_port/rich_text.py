"""What staff, and apps, write as rich text is cleaned when it is saved, for whoever shows it later.

Saleor knows two forms of each text: Draft.js in JSON, and HTML (`description`, `content`, the shop's own texts). One
mechanism cleans both, in `save` of every model that holds any; the theme escapes all of it once more when it shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import nh3

from backend.saleor_port.registry import Replace, patch

Cleaner = Callable[[Any], Any]

BLOCKS = frozenset(
    {
        "unstyled",
        "paragraph",
        "header-one",
        "header-two",
        "header-three",
        "header-four",
        "header-five",
        "header-six",
        "unordered-list-item",
        "ordered-list-item",
        "blockquote",
        "code-block",
    }
)
STYLES = frozenset({"BOLD", "ITALIC", "UNDERLINE", "STRIKETHROUGH", "CODE"})
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
TAGS = frozenset(
    {"a", "b", "blockquote", "br", "em", "h2", "h3", "h4", "i", "li", "ol", "p", "s", "strong", "u", "ul"}
)

_MARKUP = re.compile(r"<[a-zA-Z/!?]")
# A browser skips blanks and control characters within the name of a scheme.
_SKIPPED = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028\u2029\ufeff]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)


@patch(
    name="clean_rich_text",
    reason=(
        "Draft.js is looked at for products and pages only, and there for one scheme and no block; the HTML beside it, "
        "and all of categories, collections, translations and the shop, is kept as it came"
    ),
)
def clean_rich_text() -> Iterator[Replace]:
    from saleor.page import models as page
    from saleor.product import models as product
    from saleor.site import models as site

    described = (
        product.Category,
        product.CategoryTranslation,
        product.Collection,
        product.CollectionTranslation,
        product.Product,
        product.ProductTranslation,
    )
    yield from (_cleaned(each, description_json=draft, description=html) for each in described)
    yield from (
        _cleaned(each, content_json=draft, content=html) for each in (page.Page, page.PageTranslation)
    )
    # The widths of their columns; a text may grow when it is escaped.
    yield from (
        _cleaned(
            each,
            header_text=lambda text: plain(text)[:200],
            description=lambda text: plain(text)[:500],
        )
        for each in (site.SiteSettings, site.SiteSettingsTranslation)
    )


def draft(content: Any) -> Any:
    """The content with nothing in it but known blocks, styles and links; what is no Draft.js loses its bad links."""
    if not isinstance(content, Mapping) or not ({"blocks", "entityMap"} & set(content)):
        return _without_bad_links(content)
    entities = _links(content.get("entityMap"))
    blocks = content.get("blocks")
    cleaned = {
        "blocks": [
            _ordered(_block(block, entities), like=block)
            for block in (blocks if isinstance(blocks, list) else [])
            if isinstance(block, Mapping)
        ],
        "entityMap": entities,
    }
    return _ordered(cleaned, like=content)


def html(text: str) -> str:
    """The text with harmless markup only; text without markup stays as it is."""
    if not _MARKUP.search(text):
        return text
    return nh3.clean(text, tags=set(TAGS), attributes={"a": {"href", "title"}}, url_schemes=set(SCHEMES))


def plain(text: str) -> str:
    """The text without any markup."""
    return nh3.clean(text, tags=set()) if _MARKUP.search(text) else text


def link(url: Any) -> str:
    """The address of a link, or Saleor's "#invalid" where it would do something else than lead there."""
    if not isinstance(url, str):
        return "#invalid"
    scheme = _SCHEME.match(_SKIPPED.sub("", url))
    return url.strip() if scheme is None or scheme[1].lower() in SCHEMES else "#invalid"


def _cleaned(model: Any, **cleaners: Cleaner) -> Replace:
    before = model.save

    def save(self: Any, *args: Any, **kwargs: Any) -> None:
        for name, cleaner in cleaners.items():
            value = getattr(self, name)
            if value:
                setattr(self, name, cleaner(value))
        before(self, *args, **kwargs)

    return Replace(model, "save", save)


def _links(entities: Any) -> dict[str, Any]:
    if not isinstance(entities, Mapping):
        return {}
    found = {}
    for key, entity in entities.items():
        if isinstance(entity, Mapping) and entity.get("type") == "LINK":
            data = entity.get("data")
            given = data if isinstance(data, Mapping) else {}
            # Editors call it the one or the other.
            addresses = {name: link(given[name]) for name in given if name in ("url", "href")}
            cleaned = {
                "type": "LINK",
                "mutability": "MUTABLE",
                "data": addresses or {"url": "#invalid"},
            }
            found[str(key)] = _ordered(cleaned, like=entity)
    return found


def _ordered(cleaned: dict[str, Any], *, like: Mapping[str, Any]) -> dict[str, Any]:
    """The same, its keys in the order in which they were sent: a client that compares texts finds its own."""
    return {key: cleaned[key] for key in [*(key for key in like if key in cleaned), *cleaned]}


def _block(block: Mapping[str, Any], entities: Mapping[str, Any]) -> dict[str, Any]:
    kind, depth = block.get("type"), block.get("depth")
    return {
        "key": str(block.get("key") or "")[:20],
        "text": str(block.get("text") or ""),
        "type": kind if kind in BLOCKS else "unstyled",
        "depth": depth if isinstance(depth, int) and 0 <= depth <= 4 else 0,
        "inlineStyleRanges": [
            _ordered({**span, "style": each["style"]}, like=each)
            for each, span in _spans(block.get("inlineStyleRanges"))
            if each.get("style") in STYLES
        ],
        "entityRanges": [
            _ordered({**span, "key": each["key"]}, like=each)
            for each, span in _spans(block.get("entityRanges"))
            if str(each.get("key")) in entities
        ],
        "data": {},
    }


def _spans(ranges: Any) -> Iterator[tuple[Mapping[str, Any], dict[str, int]]]:
    for each in ranges if isinstance(ranges, list) else ():
        if isinstance(each, Mapping):
            offset, length = each.get("offset"), each.get("length")
            if isinstance(offset, int) and isinstance(length, int) and offset >= 0 and length >= 0:
                yield each, {"offset": offset, "length": length}


def _without_bad_links(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {str(key): _without_bad_links(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_bad_links(each) for each in content]
    if isinstance(content, str):
        found = _SCHEME.match(_SKIPPED.sub("", content))
        return "#invalid" if found and found[1].lower() in {"javascript", "vbscript", "data"} else content
    return content
