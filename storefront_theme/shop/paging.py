"""Pages of a list, forwards and back: a page is named by where the one beside it ends, not by a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from storefront_theme.client import ApiError
from storefront_theme.shop.shelf import Goods, read_goods

PAGE = 24
PLACES = ("after", "before")


@dataclass(frozen=True)
class ShelfPage:
    """goods: this page's; total: all there are; next_query, previous_query: the query strings beside, or ''.

    place_lost: the address named a place that the list does not know, so that this is its first page.
    """

    goods: list[Goods]
    total: int
    next_query: str
    previous_query: str
    facets: Mapping[str, Any] | None
    place_lost: bool = False

    @property
    def is_demo(self) -> bool:
        """Whether any of it is demo data."""
        return any(one.is_demo for one in self.goods)


def read_page(
    ask_for: Callable[..., dict[str, Any]], *, query: QueryDict, address: Callable[..., str]
) -> tuple[dict[str, Any], ShelfPage]:
    """The page that the address names; (the whole answer, its page).

    ask_for: asks the API, given first and after, or last and before; address: the query string of this very list at
    another place, given after or before.
    """
    after, before = query.get("after") or None, query.get("before") or None
    place_lost = False
    try:
        if before and not after:
            answer = ask_for(last=PAGE, before=before)
            info = answer["goods"]["pageInfo"]
            if not info["hasPreviousPage"] and len(answer["goods"]["edges"]) < PAGE:
                # The beginning, of which something was sold or came: a whole first page, not a part of one.
                answer = ask_for(first=PAGE)
        else:
            answer = ask_for(first=PAGE, after=after)
    except ApiError as error:
        if not (after or before) or error.code != "CURSOR_INVALID":
            raise
        answer, place_lost = ask_for(first=PAGE), True
    found = answer["goods"]
    info = found["pageInfo"]
    return answer, ShelfPage(
        goods=[read_goods(edge["node"]) for edge in found["edges"]],
        total=found["totalCount"],
        next_query=address(after=info["endCursor"]) if info["hasNextPage"] else "",
        previous_query=address(before=info["startCursor"]) if info["hasPreviousPage"] else "",
        facets=found.get("facets"),
        place_lost=place_lost,
    )
