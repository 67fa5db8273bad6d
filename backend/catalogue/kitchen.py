"""What to buy for dishes, and what to cook from what there is. Computes, and knows no database.

Amounts are whole grams or pieces. A dish's ingredients are for the number of people that it serves; for more or fewer
they grow or shrink in proportion, and only the sum over all dishes is rounded up: dishes share packs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil

MOST_PACK_SIZES = 3
"""So many sizes of pack of one good are weighed against each other; of more, the best value ones."""


@dataclass(frozen=True)
class Portion:
    """One ingredient of one dish, as the recipe has it. serves: for how many people that is."""

    dish: str
    name: str
    amount: int
    unit: str
    serves: int
    product: int | None = None
    alternatives: tuple[int, ...] = ()


@dataclass(frozen=True)
class Offer:
    """A pack that can be bought. units: what is in it, in the good's unit; left: how many packs there are."""

    variant: int
    units: int
    price: Decimal
    left: int


@dataclass(frozen=True)
class Shelf:
    """What there is of one good. free: of all packs together, since they are filled from the same shed."""

    unit: str
    offers: tuple[Offer, ...]
    free: int


@dataclass(frozen=True)
class Basketful:
    """Packs of one good: how many of which variant, what is in them together, what they cost together."""

    packs: tuple[tuple[int, int], ...] = ()
    units: int = 0
    price: Decimal = Decimal(0)


@dataclass(frozen=True)
class ListLine:
    """One good, or one thing that is not sold here, for all the dishes that want it."""

    product: int | None
    portions: tuple[Portion, ...]
    needed: int
    unit: str
    bought: Basketful = Basketful()
    instead_of: int | None = None
    alternatives: tuple[int, ...] = ()
    """Goods that may take its place and are there, where it is not, or not enough of it."""

    @property
    def is_sold(self) -> bool:
        return self.product is not None

    @property
    def surplus(self) -> int:
        """What is left over from the packs."""
        return max(0, self.bought.units - self.needed)

    @property
    def missing(self) -> int:
        """What the shop cannot give of something that it sells."""
        return max(0, self.needed - self.bought.units) if self.is_sold else 0


def shopping_list(
    *,
    portions: Sequence[Portion],
    people: Mapping[str, int],
    shelves: Mapping[int, Shelf],
    instead: Mapping[int, int],
) -> list[ListLine]:
    """What to buy: what is sold first, in the order of the recipes, then what is not.

    people: for how many each dish is, by its slug. instead: a good -> the one that the buyer takes in its place, heeded
    only where a recipe allows it.
    """
    groups: dict[tuple[int | None, str, str], list[Portion]] = {}
    replaced: dict[int, int] = {}
    for portion in portions:
        product = portion.product
        other = instead.get(product) if product is not None else None
        if product is not None and other in portion.alternatives:
            replaced[other] = product
            product = other
        # What is not sold is told apart by its name only.
        key = (product, portion.unit, "" if product is not None else portion.name)
        groups.setdefault(key, []).append(portion)
    lines = [
        _line(product=product, unit=unit, portions=group, people=people, shelves=shelves, replaced=replaced)
        for (product, unit, _name), group in groups.items()
    ]
    return sorted(lines, key=lambda line: not line.is_sold)


def _line(
    *,
    product: int | None,
    unit: str,
    portions: list[Portion],
    people: Mapping[str, int],
    shelves: Mapping[int, Shelf],
    replaced: Mapping[int, int],
) -> ListLine:
    needed = ceil(
        sum(Fraction(portion.amount * people[portion.dish], portion.serves) for portion in portions)
    )
    if product is None:
        return ListLine(product=None, portions=tuple(portions), needed=needed, unit=unit)
    bought = fill(needed=needed, shelf=shelves.get(product), unit=unit)
    alternatives: tuple[int, ...] = ()
    if bought.units < needed:
        allowed = dict.fromkeys(other for portion in portions for other in portion.alternatives)
        alternatives = tuple(
            other
            for other in allowed
            if other != product and fill(needed=needed, shelf=shelves.get(other), unit=unit).units >= needed
        )
    return ListLine(
        product=product,
        portions=tuple(portions),
        needed=needed,
        unit=unit,
        bought=bought,
        instead_of=replaced.get(product),
        alternatives=alternatives,
    )


def fill(*, needed: int, shelf: Shelf | None, unit: str) -> Basketful:
    """The packs that hold what is needed for the least money; of equal prices, with the least left over.

    Where there is not enough, as much as there is. Nothing for a good that is measured in another unit.
    """
    if shelf is None or shelf.unit != unit or needed <= 0:
        return Basketful()
    offers = sorted(
        (offer for offer in shelf.offers if offer.left > 0 and offer.units > 0),
        key=lambda offer: (offer.price / offer.units, offer.units),
    )[:MOST_PACK_SIZES]
    choices = list(_choices(needed=needed, offers=offers, free=shelf.free))
    enough = [choice for choice in choices if choice.units >= needed]
    if enough:
        return min(enough, key=lambda choice: (choice.price, choice.units, len(choice.packs)))
    return max(choices, key=lambda choice: (choice.units, -choice.price), default=Basketful())


def _choices(*, needed: int, offers: Sequence[Offer], free: int) -> Iterator[Basketful]:
    """Every sensible number of packs of the first offer, with every one of the others."""
    if not offers:
        yield Basketful()
        return
    offer, others = offers[0], offers[1:]
    most = min(offer.left, free // offer.units, ceil(Fraction(max(0, needed), offer.units)))
    # The last kind has to make up the rest: fewer than it can is only worth a look when nothing is wanted.
    fewest = most if not others else 0
    for number in range(most, fewest - 1, -1):
        units = number * offer.units
        for rest in _choices(needed=needed - units, offers=others, free=free - units):
            packs = ((offer.variant, number), *rest.packs) if number else rest.packs
            yield Basketful(packs=packs, units=units + rest.units, price=number * offer.price + rest.price)


@dataclass(frozen=True)
class Candidate:
    """A dish that might be cooked. goods: those of its ingredients that are sold here."""

    slug: str
    goods: tuple[int, ...]


def week_menu(
    *,
    candidates: Sequence[Candidate],
    in_season: Collection[int],
    in_stock: Collection[int],
    week: int,
    days: int = 7,
    a_day: int = 2,
) -> list[list[str]]:
    """Dishes for each day of a week, by their slugs: the same for everybody, another one next week.

    Only dishes of which every good that is sold here is in stock. Those come first whose goods are in season; a good
    that was on the table is put back for others. A dish comes once; when there are no more, the days stay shorter.
    """
    stocked = [each for each in candidates if each.goods and all(good in in_stock for good in each.goods)]
    if not stocked:
        return [[] for _day in range(days)]
    # Each week begins at another place of the same round.
    start = (week * days * a_day) % len(stocked)
    left = stocked[start:] + stocked[:start]
    eaten: dict[int, int] = {}
    menu: list[list[str]] = [[] for _day in range(days)]
    # First one dish for every day, then the second.
    for _course in range(a_day):
        for day in range(days):
            if not left:
                return menu
            place = min(
                range(len(left)),
                key=lambda place: (
                    sum(eaten.get(good, 0) for good in left[place].goods) / len(left[place].goods)
                    - sum(good in in_season for good in left[place].goods) / len(left[place].goods),
                    place,
                ),
            )
            dish = left.pop(place)
            for good in dish.goods:
                eaten[good] = eaten.get(good, 0) + 1
            menu[day].append(dish.slug)
    return menu
