"""What is to be cooked, as it stands in a page's address, and the list of what to buy for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, QueryDict

from storefront_theme.client import ask
from storefront_theme.shop.shelf import named

MOST_DISHES = 21
MOST_PEOPLE = 50
USUAL_PEOPLE = 3


@dataclass(frozen=True)
class Cooking:
    """Dishes, for how many people, and the goods that the cook takes in the place of others."""

    dishes: tuple[str, ...]
    people: int
    instead: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, given: QueryDict, *, people: int = USUAL_PEOPLE) -> Cooking:
        """From ?dish=…&dish=…&people=4&use=suanmiao:congtou; what makes no sense is left out."""
        written = given.get("people", "").strip()
        wishes = (wish.partition(":") for wish in given.getlist("use"))
        return cls(
            dishes=tuple(dict.fromkeys(given.getlist("dish")))[:MOST_DISHES],
            people=min(max(int(written), 1), MOST_PEOPLE)
            if written.isdecimal() and len(written) < 9
            else people,
            instead=tuple(dict.fromkeys((good, use) for good, _colon, use in wishes if good and use))[
                :MOST_DISHES
            ],
        )

    def query(self, *, use: tuple[str, str] | None = None, without: str = "") -> str:
        """The same as a query string; with one more wish, or back to the good that the recipe names."""
        query = QueryDict(mutable=True)
        query.setlist("dish", self.dishes)
        query["people"] = str(self.people)
        wishes = [wish for wish in self.instead if wish[0] not in (without, use[0] if use else "")]
        query.setlist("use", [":".join(wish) for wish in (*wishes, *([use] if use else []))])
        return query.urlencode(safe=":")


@dataclass(frozen=True)
class Packs:
    """So many packs of one variant; price: CNY a pack."""

    id: str
    name: str
    price: Decimal
    quantity: int


@dataclass(frozen=True)
class Choice:
    """A good that may be taken instead, and the query of the list that has it."""

    name: str
    query: str


@dataclass(frozen=True)
class ToBuy:
    """A line of the list. slug: '' for what is not sold here; amounts in grams or pieces."""

    name: str
    slug: str
    picture: str
    unit: str
    needed: int
    bought: int
    surplus: int
    missing: int
    packs: tuple[Packs, ...]
    dishes: tuple[str, ...]
    instead_of: str
    back: str
    choices: tuple[Choice, ...]
    is_demo: bool

    @property
    def price(self) -> Decimal:
        return sum((packs.price * packs.quantity for packs in self.packs), Decimal(0))


@dataclass(frozen=True)
class ShoppingList:
    """What to buy for some dishes, what of it is short, and what is not sold here."""

    cooking: Cooking
    dishes: tuple[Mapping[str, Any], ...]
    lines: tuple[ToBuy, ...]

    @property
    def sold(self) -> tuple[ToBuy, ...]:
        return tuple(line for line in self.lines if line.slug)

    @property
    def elsewhere(self) -> tuple[ToBuy, ...]:
        """Not sold here."""
        return tuple(line for line in self.lines if not line.slug)

    @property
    def packs(self) -> tuple[Packs, ...]:
        return tuple(packs for line in self.lines for packs in line.packs)

    @property
    def count(self) -> int:
        return sum(packs.quantity for packs in self.packs)

    @property
    def total(self) -> Decimal:
        return sum((line.price for line in self.lines), Decimal(0))

    @property
    def is_short(self) -> bool:
        return any(line.missing for line in self.lines)

    @property
    def is_demo(self) -> bool:
        return any(line.is_demo for line in self.lines)


def read_list(request: HttpRequest, cooking: Cooking) -> ShoppingList:
    """Asks what to buy now."""
    answer = ask(
        request,
        "ShoppingList",
        dishes=[{"dish": dish, "people": cooking.people} for dish in cooking.dishes],
        instead=[{"product": good, "use": use} for good, use in cooking.instead],
    )["shoppingList"]
    dishes = tuple(each["dish"] for each in answer["dishes"])
    names = {dish["slug"]: dish["name"] for dish in dishes}
    return ShoppingList(
        cooking=cooking,
        dishes=dishes,
        lines=tuple(_line(node, cooking=cooking, names=names) for node in answer["lines"]),
    )


def _line(node: dict[str, Any], *, cooking: Cooking, names: Mapping[str, str]) -> ToBuy:
    product = node["product"] or {}
    replaced = node["insteadOf"]
    asked_for = replaced["slug"] if replaced else product.get("slug", "")
    return ToBuy(
        name=named(product) or node["portions"][0]["name"],
        slug=product.get("slug", ""),
        picture=(product.get("thumbnail") or {}).get("url") or "",
        unit=node["unit"],
        needed=node["needed"],
        bought=node["bought"],
        surplus=node["surplus"],
        missing=node["missing"],
        packs=tuple(
            Packs(
                id=each["variant"]["id"],
                name=named(each["variant"]),
                price=Decimal(str(each["variant"]["pricing"]["price"]["gross"]["amount"])),
                quantity=each["quantity"],
            )
            for each in node["packs"]
        ),
        dishes=tuple(dict.fromkeys(names[portion["dish"]] for portion in node["portions"])),
        instead_of=named(replaced),
        back=cooking.query(without=replaced["slug"]) if replaced else "",
        choices=tuple(
            Choice(name=named(other), query=cooking.query(use=(asked_for, other["slug"])))
            for other in node["alternatives"]
        ),
        is_demo=bool((product.get("good") or {}).get("isDemo")),
    )
