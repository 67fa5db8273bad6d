"""Finding: search, what is suggested while somebody types, and shelves of goods."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import graphene
from django.utils.translation import gettext_lazy as _
from graphql import ResolveInfo

from backend.api.types.search import (
    GoodsConnection,
    GoodsFilterInput,
    GoodsOrder,
    SearchAnswer,
    SearchResult,
    SearchSuggestion,
)
from backend.api.types.texts import bounded, required_list
from backend.catalogue import shelf
from backend.catalogue.search.selectors import Found, Hit, find, suggest
from backend.common.errors import ShopError

MOST_FOUND = 24
MOST_SUGGESTED = 10


class GoodsAskedWrongly(ShopError):
    code = "goods_asked_wrongly"


class FindingQueries(graphene.ObjectType):
    """What somebody asks who looks for something."""

    search = graphene.Field(
        SearchResult,
        required=True,
        query=graphene.String(
            required=True, description="Characters, pinyin, initials or English; 60 are read."
        ),
        first=graphene.Int(default_value=MOST_FOUND, description="Of each kind, at most 24."),
    )
    search_suggestions = required_list(
        SearchSuggestion,
        query=graphene.String(required=True),
        first=graphene.Int(default_value=8, description="At most 10."),
        description="For what is being typed, the nearest first.",
    )
    goods = graphene.Field(
        GoodsConnection,
        required=True,
        filter=GoodsFilterInput(),
        sort_by=GoodsOrder(description="RELEVANCE by default where something is searched for, else TODAY."),
        first=graphene.Int(),
        after=graphene.String(),
        last=graphene.Int(),
        before=graphene.String(),
        description="Published goods, narrowed and in order; 24 of them where neither first nor last is given.",
    )

    @staticmethod
    def resolve_search(_root: Any, info: ResolveInfo, query: str, first: int) -> SearchAnswer:
        return SearchAnswer(found=_found(info, query), first=max(0, min(first, MOST_FOUND)))

    @staticmethod
    def resolve_search_suggestions(_root: Any, _info: ResolveInfo, query: str, first: int) -> list[Hit]:
        return suggest(_clean(query), limit=max(0, min(first, MOST_SUGGESTED)))

    @staticmethod
    def resolve_goods(
        _root: Any,
        info: ResolveInfo,
        filter: GoodsFilterInput | None = None,
        sort_by: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> GoodsConnection:
        if (first is not None and (last is not None or before)) or (last is not None and after):
            raise GoodsAskedWrongly(_("Ask for the first after a place, or for the last before one."))
        if (first if first is not None else last if last is not None else 1) < 0:
            raise GoodsAskedWrongly(_("A page cannot have fewer than no goods."))
        wanted = _wanted(info, filter or {})
        backwards = last is not None or bool(before)
        given = last if backwards else first
        page = shelf.page_of_goods(
            wanted,
            order=shelf.GoodsOrder(sort_by) if sort_by else None,
            size=bounded(MOST_FOUND if given is None else given),
            after=after or None,
            before=before or None,
            from_end=backwards,
        )
        connection = GoodsConnection(
            edges=[
                GoodsConnection.Edge(node=product, cursor=place)
                for product, place in zip(page.products, page.places, strict=True)
            ],
            page_info=graphene.relay.PageInfo(
                has_next_page=page.has_next,
                has_previous_page=page.has_previous,
                start_cursor=page.places[0] if page.places else None,
                end_cursor=page.places[-1] if page.places else None,
            ),
        )
        connection.wanted = wanted
        return connection


def _wanted(info: ResolveInfo, asked: Any) -> shelf.Wanted:
    month = asked.get("month")
    if month is not None and not 1 <= month <= 12:
        raise GoodsAskedWrongly(_("A month is a number from 1 to 12."))
    search = asked.get("search")
    return shelf.Wanted(
        category=_clean(asked.get("category")),
        villages=tuple(map(_clean, asked.get("villages") or ())),
        cooperatives=tuple(map(_clean, asked.get("cooperatives") or ())),
        storages=tuple(asked.get("storages") or ()),
        month=month,
        per_500g_from=_price(asked.get("per_500g_from")),
        per_500g_to=_price(asked.get("per_500g_to")),
        only_in_stock=bool(asked.get("in_stock")),
        found=tuple(hit.subject for hit in _found(info, search).of("product")) if search else None,
    )


def _found(info: ResolveInfo, query: str) -> Found:
    """Looked for once a request: a page asks for the answer, and for a shelf of its goods."""
    known: dict[str, Found] = info.context.__dict__.setdefault("xinyi_found", {})
    if query not in known:
        known[query] = find(_clean(query))
    return known[query]


def _clean(text: str | None) -> str:
    """Without what PostgreSQL cannot hold."""
    return (text or "").replace("\x00", "")


def _price(given: float | None) -> Decimal | None:
    if given is None:
        return None
    if not 0 <= given <= 1_000_000:
        raise GoodsAskedWrongly(_("A price is a number from 0 on."))
    return Decimal(str(given))
