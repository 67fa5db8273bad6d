"""What of a shelf an address asks for. Every choice is a link to the same page with one thing more, or less."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from storefront_theme.templatetags.shop import month_name

SORTS = {
    "": (gettext_lazy("Today’s first"), "TODAY"),
    "price": (gettext_lazy("Price per 500 g"), "PRICE_PER_500G"),
    "price-desc": (gettext_lazy("Dearest first"), "PRICE_PER_500G_DESC"),
    "counted": (gettext_lazy("Newest count"), "NEWEST_COUNT"),
    "name": (pgettext_lazy("order", "Name"), "NAME"),
}
# In the order in which they stand in an address, whichever was chosen first.
PARAMETERS = ("village", "cooperative", "season", "storage", "price", "stock", "sort", "after", "before")

MOST_CHOSEN = 10
_SLUG = re.compile(r"[\w-]{1,50}", re.ASCII)
_BAND = re.compile(r"(\d{1,5})-(\d{1,5})?", re.ASCII)
_STORAGES = {"cold": "COLD", "cool": "COOL", "room": "ROOM"}
_NOW = "now"


@dataclass(frozen=True)
class Choice:
    """One link. count: how many goods it leaves, or None where nobody counted."""

    label: str
    query: str
    chosen: bool
    count: int | None = None


@dataclass(frozen=True)
class Group:
    label: str
    choices: list[Choice]


@dataclass(frozen=True)
class Narrowing:
    """What is chosen; what an address says that is no choice is left out."""

    today: date
    villages: tuple[str, ...] = ()
    cooperatives: tuple[str, ...] = ()
    storages: tuple[str, ...] = ()
    season: str = ""
    price: str = ""
    only_in_stock: bool = False
    sort: str = ""
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def month(self) -> int | None:
        """1 to 12."""
        return self.today.month if self.season == _NOW else int(self.season) if self.season else None

    def variables(self) -> dict[str, Any]:
        """As GoodsFilterInput takes them."""
        band = _BAND.fullmatch(self.price)
        return {
            "villages": list(self.villages),
            "cooperatives": list(self.cooperatives),
            "storages": [_STORAGES[each] for each in self.storages],
            "month": self.month,
            "per500gFrom": float(band[1]) if band else None,
            "per500gTo": float(band[2]) if band and band[2] else None,
            "inStock": self.only_in_stock or None,
        }

    @property
    def order(self) -> str:
        """A GoodsOrder."""
        return SORTS[self.sort][1]

    def query(self, *, after: str | None = None, before: str | None = None) -> str:
        """The query string of these choices, in one order, at a place in the list."""
        values = {
            "village": ",".join(self.villages),
            "cooperative": ",".join(self.cooperatives),
            "season": self.season,
            "storage": ",".join(self.storages),
            "price": self.price,
            "stock": "in" if self.only_in_stock else "",
            "sort": self.sort,
            "after": after or "",
            "before": before or "",
        }
        pairs = [*self.others.items(), *((name, values[name]) for name in PARAMETERS)]
        return urlencode([(name, value) for name, value in pairs if value]).replace("%2C", ",")

    @property
    def canonical_query(self) -> str:
        """The same goods in their usual order, from the first page."""
        return replace(self, sort="").query()

    @property
    def nothing_chosen(self) -> str:
        """The query string without any of it."""
        return Narrowing(today=self.today, sort=self.sort, others=self.others).query()

    def with_one(self, name: str, value: str) -> Narrowing:
        """With one more of villages, cooperatives or storages, or with that one less."""
        changed: Any = {name: tuple(sorted({value} ^ set(getattr(self, name))))}
        return replace(self, **changed)

    # ---- Links -----------------------------------------------------------------------------------------------

    def sorts(self) -> list[Choice]:
        """The orders; nothing chosen is Today's first."""
        return [
            Choice(label=str(label), query=replace(self, sort=key).query(), chosen=key == self.sort)
            for key, (label, _order) in SORTS.items()
        ]

    def stock(self, facets: Mapping[str, Any] | None) -> Choice:
        """Only what is there."""
        return Choice(
            label=_("Only what is there"),
            query=replace(self, only_in_stock=not self.only_in_stock).query(),
            chosen=self.only_in_stock,
            count=facets["inStock"] if facets else None,
        )

    def groups(self, facets: Mapping[str, Any] | None) -> list[Group]:
        """All that can be chosen of this shelf; a group with nothing to choose between is left out."""
        if facets is None:
            return [Group(label=_("Season"), choices=self._months({}))]
        months = {each["value"]: each["count"] for each in facets["months"]}
        groups = [
            Group(label=_("Season"), choices=self._months(months)),
            Group(label=_("Village"), choices=self._several("villages", facets["villages"])),
            Group(label=_("Cooperative"), choices=self._several("cooperatives", facets["cooperatives"])),
            Group(label=_("Price per 500 g"), choices=self._bands(facets["prices"])),
            Group(label=_("Storage"), choices=self._several("storages", facets["storages"])),
        ]
        return [
            group
            for group in groups
            if len(group.choices) > 1 or any(choice.chosen for choice in group.choices)
        ]

    def chosen(self, facets: Mapping[str, Any] | None) -> list[Choice]:
        """What was chosen, each with the link that takes it back."""
        known = [choice for group in self.groups(facets) for choice in group.choices if choice.chosen]
        return known + ([self.stock(facets)] if self.only_in_stock else [])

    def _months(self, counts: Mapping[str, int]) -> list[Choice]:
        first = self.today.month
        numbers = [(first + step - 1) % 12 + 1 for step in range(4)]
        if self.month and self.month not in numbers:
            numbers.append(self.month)
        return [
            Choice(
                label=_("Now") if number == first else month_name(number),
                query=replace(
                    self,
                    season="" if number == self.month else _NOW if number == first else str(number),
                ).query(),
                chosen=number == self.month,
                count=counts.get(str(number)),
            )
            for number in numbers
        ]

    def _several(self, name: str, facets: Iterable[Mapping[str, Any]]) -> list[Choice]:
        return [
            Choice(
                label=_storage_name(each["value"]) if name == "storages" else each["label"],
                query=self.with_one(name, each["value"]).query(),
                chosen=each["value"] in getattr(self, name),
                count=each["count"],
            )
            for each in facets
            if each["count"] or each["value"] in getattr(self, name)
        ]

    def _bands(self, facets: Iterable[Mapping[str, Any]]) -> list[Choice]:
        return [
            Choice(
                label=_band_name(each["value"]),
                query=replace(self, price="" if each["value"] == self.price else each["value"]).query(),
                chosen=each["value"] == self.price,
                count=each["count"],
            )
            for each in facets
            if each["count"] or each["value"] == self.price
        ]


def read_narrowing(query: QueryDict, *, today: date, others: Mapping[str, str] | None = None) -> Narrowing:
    """Of an address. others: parameters that every link of the page keeps, such as what was searched for."""
    season = query.get("season", "")
    month = int(season) if re.fullmatch(r"[1-9]|1[0-2]", season) else None
    price = query.get("price", "")
    sort = query.get("sort", "")
    return Narrowing(
        today=today,
        villages=_slugs(query.get("village", "")),
        cooperatives=_slugs(query.get("cooperative", "")),
        storages=tuple(each for each in _slugs(query.get("storage", "")) if each in _STORAGES),
        season=_NOW if season == _NOW or month == today.month else str(month or ""),
        price=price if _BAND.fullmatch(price) else "",
        only_in_stock=query.get("stock") == "in",
        sort=sort if sort in SORTS else "",
        others=others or {},
    )


def _slugs(text: str) -> tuple[str, ...]:
    return tuple(sorted({each for each in text.split(",") if _SLUG.fullmatch(each)})[:MOST_CHOSEN])


def _storage_name(value: str) -> str:
    return {
        "cold": _("In the fridge"),
        "cool": _("Somewhere cool"),
        "room": _("At room temperature"),
    }.get(value, value)


def _band_name(value: str) -> str:
    start, _dash, end = value.partition("-")
    if not end:
        return _("¥%(from)s or more") % {"from": start}
    if start == "0":
        return _("under ¥%(to)s") % {"to": end}
    return f"¥{start}–{end}"
