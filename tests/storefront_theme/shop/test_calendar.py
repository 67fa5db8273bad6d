"""The park's year, seen from any month of it."""

from hypothesis import given
from hypothesis import strategies as st

from storefront_theme.shop.calendar import read_year


def good(name: str, *months: int) -> dict[str, object]:
    return {"slug": name, "name": name, "months": list(months)}


def test_a_season_that_wraps_is_there_on_both_sides_of_the_year() -> None:
    peas = good("peas", 11, 12, 1, 2)
    for month in (11, 12, 1, 2):
        assert [one.slug for one in read_year([peas], month=month).now] == ["peas"]
    assert [one.begins_in for one in read_year([peas], month=9).soon] == [2]
    assert [one.begins_in for one in read_year([peas], month=3).later] == [8]


def test_what_ends_first_stands_first_and_so_does_what_comes_first() -> None:
    year = read_year(
        [good("long", 3, 4, 5, 6), good("short", 2, 3), good("may", 5), good("april", 4), good("autumn", 9)],
        month=3,
    )
    assert [one.slug for one in year.now] == ["short", "long"]
    assert [one.slug for one in year.soon] == ["april", "may"]
    assert [one.slug for one in year.later] == ["autumn"]


def test_two_seasons_a_year_come_back() -> None:
    [bamboo] = read_year([good("bamboo", 4, 10)], month=5).later
    assert (bamboo.begins_in, bamboo.lasts) == (5, 1)


@given(st.sets(st.integers(1, 12), min_size=1, max_size=11), st.integers(1, 12))
def test_every_good_stands_in_one_place(months: set[int], month: int) -> None:
    year = read_year([good("x", *months)], month=month)
    assert len(year.now) + len(year.soon) + len(year.later) == 1
    assert bool(year.now) == (month in months)
    [cells] = [one.cells(month) for one in (*year.now, *year.soon, *year.later)]
    assert {cell["number"] for cell in cells if cell["inside"]} == months
    assert [cell["number"] for cell in cells if cell["now"]] == [month]
