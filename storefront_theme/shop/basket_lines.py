"""Lines of a basket as pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from storefront_theme.shop.shelf import Pack, named, read_pack


@dataclass(frozen=True)
class BasketLine:
    """quantity: packs. total: CNY. cooperatives: their names, for the line under the good."""

    slug: str
    name: str
    picture: str
    cooperatives: tuple[str, ...]
    pack: Pack
    quantity: int
    total: Decimal
    is_returnable: bool
    is_demo: bool
    shelf_life_days: int | None = None

    @property
    def is_short(self) -> bool:
        """More in the basket than can be had now."""
        return self.quantity > self.pack.left


def read_lines(checkout: Mapping[str, Any] | None) -> list[BasketLine]:
    """Of the Checkout of documents/Basket.graphql."""
    return [_read_line(line) for line in (checkout or {}).get("lines") or ()]


def _read_line(line: Mapping[str, Any]) -> BasketLine:
    product = line["variant"]["product"]
    good = product["good"] or {}
    return BasketLine(
        slug=product["slug"],
        name=named(product),
        picture=(product["thumbnail"] or {}).get("url") or "",
        cooperatives=tuple(source["cooperative"]["name"] for source in product["sources"]),
        pack=read_pack(line["variant"]),
        quantity=line["quantity"],
        total=Decimal(str(line["totalPrice"]["gross"]["amount"])),
        is_returnable=bool(good.get("isReturnable")),
        is_demo=bool(good.get("isDemo")),
        shelf_life_days=good.get("shelfLifeDays"),
    )
