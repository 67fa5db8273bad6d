"""Goods as pages show them: the API's answers, turned into small frozen things that templates can name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from storefront_theme.templatetags.shop import as_datetime

LITTLE = 10


@dataclass(frozen=True)
class Pack:
    """A variant. price: CNY a pack; per_500g: CNY or None; left: packs to be had, at most 50 (Saleor's cap).

    is_sold: False for what has left the shop, and is in a basket still: it has no price any more.
    """

    id: str
    name: str
    sku: str
    price: Decimal
    per_500g: Decimal | None
    net_weight_g: int | None
    left: int
    is_sold: bool = True

    @property
    def is_little(self) -> bool:
        """Few enough to say how many."""
        return 0 < self.left <= LITTLE


@dataclass(frozen=True)
class Source:
    """A cooperative that has the good in its shed, when it counted, and the lot that is sold now."""

    slug: str
    name: str
    counted_at: datetime | None
    lot: Mapping[str, Any] | None


@dataclass(frozen=True)
class Goods:
    """A product on a shelf."""

    slug: str
    name: str
    picture: str
    picture_alt: str
    picture_small: str
    packs: tuple[Pack, ...]
    sources: tuple[Source, ...]
    season_months: tuple[int, ...]
    in_season: bool
    is_demo: bool

    @property
    def pack(self) -> Pack | None:
        """The pack that a card offers: the first to be had, else the first."""
        return next(
            (pack for pack in self.packs if pack.left),
            self.packs[0] if self.packs else None,
        )

    @property
    def is_out(self) -> bool:
        """Nothing of it can be bought now."""
        return not any(pack.left for pack in self.packs)

    @property
    def counted_at(self) -> datetime | None:
        """The newest count of its cooperatives."""
        return max(
            (source.counted_at for source in self.sources if source.counted_at),
            default=None,
        )

    @property
    def is_seasonal(self) -> bool:
        """In season now, and not all the year."""
        return self.in_season and 0 < len(self.season_months) < 12


def named(node: Mapping[str, Any] | None, field: str = "name") -> str:
    """A name in the visitor's language: Saleor's translation where there is one."""
    if not node:
        return ""
    return str((node.get("translation") or {}).get(field) or node.get(field) or "")


def read_pack(node: Mapping[str, Any]) -> Pack:
    """Of a ProductVariant."""
    weight = node.get("netWeightG")
    pricing = node["pricing"]
    return Pack(
        id=node["id"],
        name=named(node),
        sku=node["sku"],
        price=Decimal(str(pricing["price"]["gross"]["amount"])) if pricing else Decimal(0),
        per_500g=Decimal(str(node["unitPrice"]["amount"])) if node.get("unitPrice") else None,
        net_weight_g=weight,
        left=node["quantityAvailable"] if pricing else 0,
        is_sold=bool(pricing),
    )


def read_goods(node: Mapping[str, Any]) -> Goods:
    """Of a Product asked with the fields of documents/Category.graphql."""
    good = node.get("good") or {}
    thumbnail = node.get("thumbnail") or {}
    return Goods(
        slug=node["slug"],
        name=named(node),
        picture=thumbnail.get("url") or "",
        picture_alt=thumbnail.get("alt") or "",
        picture_small=(node.get("small") or {}).get("url") or "",
        packs=tuple(read_pack(variant) for variant in node["variants"] or ()),
        sources=tuple(
            Source(
                slug=source["cooperative"]["slug"],
                name=source["cooperative"]["name"],
                counted_at=as_datetime(source["countedAt"]),
                lot=source.get("lot"),
            )
            for source in node.get("sources") or ()
        ),
        season_months=tuple(good.get("seasonMonths") or ()),
        in_season=bool(good.get("inSeason")),
        is_demo=bool(good.get("isDemo")),
    )


def in_order(goods: list[Goods]) -> list[Goods]:
    """What can be bought first, then what is in season; otherwise as the API had them."""
    return sorted(goods, key=lambda one: (one.is_out, not one.is_seasonal))
