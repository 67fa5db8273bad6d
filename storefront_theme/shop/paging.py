"""Pages of a list, forwards only: Saleor's cursors know no numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from storefront_theme.shop.shelf import Goods, read_goods

PAGE = 24


@dataclass(frozen=True)
class ShelfPage:
    """goods: this page's; total: all there are; next_query: the query string of the page after, or ''."""

    goods: list[Goods]
    total: int
    next_query: str
    is_first: bool

    @property
    def is_demo(self) -> bool:
        """Whether any of it is demo data."""
        return any(one.is_demo for one in self.goods)


def read_page(connection: Mapping[str, Any], *, query: QueryDict) -> ShelfPage:
    """Of a ProductCountableConnection; `query` is the address's own, whose filters the next page keeps."""
    info = connection["pageInfo"]
    onward = query.copy()
    onward["after"] = info["endCursor"] or ""
    return ShelfPage(
        goods=[read_goods(edge["node"]) for edge in connection["edges"]],
        total=connection["totalCount"],
        next_query=onward.urlencode() if info["hasNextPage"] else "",
        is_first="after" not in query,
    )
