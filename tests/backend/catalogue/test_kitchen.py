"""李婶 cooks: what to buy for her dishes, and what to cook this week."""

from __future__ import annotations

from decimal import Decimal
from itertools import product as every

from hypothesis import given
from hypothesis import strategies as st

from backend.catalogue.kitchen import (
    Candidate,
    Offer,
    Portion,
    Shelf,
    fill,
    shopping_list,
    week_menu,
)

PORK, GARLIC, LEEK = 1, 2, 3


def an_offer(variant: int, units: int, price: str, left: int = 50) -> Offer:
    return Offer(variant=variant, units=units, price=Decimal(price), left=left)


def a_shelf(*offers: Offer, free: int = 1_000_000, unit: str = "g") -> Shelf:
    return Shelf(unit=unit, offers=offers, free=free)


def a_portion(dish: str, amount: int, product: int | None = PORK, *others: int, name: str = "肉") -> Portion:
    return Portion(
        dish=dish, name=name, amount=amount, unit="g", serves=3, product=product, alternatives=others
    )


def test_an_amount_is_rounded_up_to_packs_and_the_surplus_is_said() -> None:
    [line] = shopping_list(
        portions=[a_portion("huiguorou", 300)],
        people={"huiguorou": 4},
        shelves={PORK: a_shelf(an_offer(11, 250, "9.00"))},
        instead={},
    )
    assert (line.needed, line.bought.packs, line.bought.units, line.surplus) == (400, ((11, 2),), 500, 100)


def test_dishes_share_packs() -> None:
    portions = [a_portion("huiguorou", 300), a_portion("yuxiangrousi", 200)]
    [line] = shopping_list(
        portions=portions,
        people={"huiguorou": 3, "yuxiangrousi": 3},
        shelves={PORK: a_shelf(an_offer(11, 500, "18.00"))},
        instead={},
    )
    assert line.bought.packs == ((11, 1),)
    assert [portion.dish for portion in line.portions] == ["huiguorou", "yuxiangrousi"]


def test_thirds_are_rounded_once_for_all_dishes() -> None:
    portions = [a_portion(dish, 100) for dish in ("a", "b", "c")]
    [line] = shopping_list(
        portions=portions, people={"a": 1, "b": 1, "c": 1}, shelves={PORK: a_shelf()}, instead={}
    )
    assert line.needed == 100


def test_the_cheaper_pack_wins_and_of_equal_ones_the_smaller() -> None:
    small, large = an_offer(1, 500, "7.00"), an_offer(2, 2_500, "20.00")
    assert fill(needed=1_200, shelf=a_shelf(small, large), unit="g").packs == ((2, 1),)
    assert fill(needed=600, shelf=a_shelf(small, large), unit="g").packs == ((1, 2),)
    assert fill(needed=400, shelf=a_shelf(small, an_offer(3, 900, "7.00")), unit="g").packs == ((1, 1),)


def test_packs_of_one_shed_do_not_promise_it_twice() -> None:
    shelf = a_shelf(an_offer(1, 500, "5.00", left=3), an_offer(2, 1_000, "9.00", left=1), free=1_500)
    assert fill(needed=5_000, shelf=shelf, unit="g").units == 1_500


def test_what_is_sold_out_names_what_may_take_its_place() -> None:
    line, other = shopping_list(
        portions=[a_portion("a", 300, PORK, GARLIC, LEEK), a_portion("a", 10, None, name="豆豉")],
        people={"a": 3},
        shelves={PORK: a_shelf(an_offer(1, 500, "9.00", left=0)), GARLIC: a_shelf(an_offer(2, 200, "2.00"))},
        instead={},
    )
    assert (line.missing, line.bought.packs, line.alternatives) == (300, (), (GARLIC,))
    assert (other.is_sold, other.missing, other.needed) == (False, 0, 10)


def test_the_buyer_takes_something_else_only_where_the_recipe_allows_it() -> None:
    portions = [a_portion("a", 300, PORK, GARLIC), a_portion("b", 300, PORK)]
    shelves = {PORK: a_shelf(an_offer(1, 500, "9.00")), GARLIC: a_shelf(an_offer(2, 500, "2.00"))}
    lines = shopping_list(portions=portions, people={"a": 3, "b": 3}, shelves=shelves, instead={PORK: GARLIC})
    assert [(line.product, line.needed, line.instead_of) for line in lines] == [
        (GARLIC, 300, PORK),
        (PORK, 300, None),
    ]


def test_a_good_that_is_sold_by_the_piece_is_not_weighed() -> None:
    assert fill(needed=300, shelf=a_shelf(an_offer(1, 1, "3.00"), unit="piece"), unit="g").packs == ()


@given(
    needed=st.integers(1, 6_000),
    free=st.integers(0, 8_000),
    offers=st.lists(
        st.builds(
            lambda units, fen, left: (units, Decimal(fen) / 100, left),
            st.sampled_from([100, 250, 300, 500, 1_000, 2_500]),
            st.integers(50, 4_000),
            st.integers(0, 6),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_no_other_choice_of_packs_is_better(
    needed: int, free: int, offers: list[tuple[int, Decimal, int]]
) -> None:
    kinds = tuple(
        Offer(variant=number, units=units, price=price, left=left)
        for number, (units, price, left) in enumerate(offers)
    )
    found = fill(needed=needed, shelf=a_shelf(*kinds, free=free), unit="g")
    possible = [
        (sum(n * kind.units for n, kind in zip(numbers, kinds, strict=True)), numbers)
        for numbers in every(*(range(kind.left + 1) for kind in kinds))
    ]
    possible = [(units, numbers) for units, numbers in possible if units <= free]
    assert sum(n * kinds[variant].units for variant, n in found.packs) == found.units <= free
    enough = [
        sum((n * kind.price for n, kind in zip(numbers, kinds, strict=True)), Decimal(0))
        for units, numbers in possible
        if units >= needed
    ]
    if enough:
        assert found.units >= needed
        assert found.price == min(enough)
    else:
        assert found.units == max(units for units, _numbers in possible)


def test_a_week_is_cooked_from_what_is_there_and_in_season() -> None:
    candidates = [
        Candidate("old", (1,)),
        Candidate("gone", (2,)),
        Candidate("now", (3,)),
        Candidate("unsold", ()),
    ]
    menu = week_menu(candidates=candidates, in_season={3}, in_stock={1, 3}, week=0, days=2, a_day=1)
    assert menu == [["now"], ["old"]]


def test_no_dish_comes_twice_a_week_and_goods_take_turns() -> None:
    candidates = [Candidate(f"pork-{number}", (1,)) for number in range(3)]
    candidates += [Candidate(f"leek-{number}", (2,)) for number in range(3)]
    menu = week_menu(candidates=candidates, in_season=(), in_stock={1, 2}, week=0, days=4, a_day=1)
    served = [slug for day in menu for slug in day]
    assert len(set(served)) == 4
    assert [slug.split("-")[0] for slug in served] == ["pork", "leek", "pork", "leek"]


def test_next_week_is_another_menu() -> None:
    candidates = [Candidate(str(number), (number,)) for number in range(30)]
    stocked = set(range(30))
    menus = [week_menu(candidates=candidates, in_season=(), in_stock=stocked, week=week) for week in (47, 48)]
    assert menus[0] != menus[1]
    assert week_menu(candidates=candidates, in_season=(), in_stock=(), week=47) == [[]] * 7
