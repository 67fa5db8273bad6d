from decimal import Decimal
from typing import Any

from storefront_theme.templatetags.board import kilograms, yuan
from storefront_theme.town.board import MAP_HEIGHT, MAP_WIDTH, RANKING_WIDTH, draw_map, read_board

VILLAGES = [
    {"slug": "baima-park", "name": "白马产业园", "mapX": 430, "mapY": 520, "isPark": True},
    {"slug": "baima", "name": "白马村", "mapX": 350, "mapY": 440, "isPark": False},
    {"slug": "fuxing", "name": "福星村", "mapX": 590, "mapY": 400, "isPark": False},
    {"slug": "lihua", "name": "李花村", "mapX": 720, "mapY": 300, "isPark": False},
    {"slug": "zengjiaya", "name": "曾家垭村", "mapX": 230, "mapY": 230, "isPark": False},
]


def an_answer(**changed: Any) -> dict[str, Any]:
    cooperative = {"slug": "baima", "name": "白马蔬菜专业合作社"}
    return {
        "asOf": "2026-11-23T16:20:05+08:00",
        "ordersToday": 2,
        "kilogramsToday": 118.5,
        "salesToday": {"amount": 706.8, "currency": "CNY"},
        "goodsInStock": 38,
        "cooperativesCounted": 3,
        "cooperativesTotal": 4,
        "sevenDays": [
            {
                "day": f"2026-11-{day}",
                "orders": 1,
                "sales": {"amount": sales, "currency": "CNY"},
                "kilograms": 10,
            }
            for day, sales in zip(range(17, 24), [0, 100, 200, 300, 0, 0, 150], strict=True)
        ],
        "byVillage": [
            {"village": {"slug": "baima-park"}, "kilograms": 400},
            {"village": {"slug": "fuxing"}, "kilograms": 100},
        ],
        "topGoods": [{"name": "白萝卜", "kilograms": 50}, {"name": "莴笋", "kilograms": 12.5}],
        "latestCounts": [
            {"cooperative": cooperative, "good": "豌豆尖", "countedAt": "2026-11-23T06:10:00+08:00"}
        ],
        "isDemo": True,
        **changed,
    }


def test_the_board_shows_the_figures_that_the_api_counted() -> None:
    board = read_board(board=an_answer(), villages=VILLAGES)
    assert (board.orders_today, board.kilograms_today, board.sales_today) == (
        2,
        Decimal("118.5"),
        Decimal("706.8"),
    )
    assert (board.goods_in_stock, board.cooperatives_counted, board.cooperatives_total) == (38, 3, 4)
    assert board.as_of.isoformat() == "2026-11-23T16:20:05+08:00"
    assert [(count.cooperative, count.good) for count in board.counts] == [("白马蔬菜专业合作社", "豌豆尖")]


def test_the_tallest_day_is_the_day_that_sold_most_and_today_is_last() -> None:
    week = read_board(board=an_answer(), villages=VILLAGES).week
    assert [day.day.day for day in week.days] == [17, 18, 19, 20, 21, 22, 23]
    assert max(week.days, key=lambda day: day.bar.height).day.day == 20
    assert [day.is_last for day in week.days] == [False] * 6 + [True]
    assert all(day.caption_y < day.bar.y for day in week.days)


def test_the_best_good_has_the_longest_bar() -> None:
    ranking = read_board(board=an_answer(), villages=VILLAGES).ranking
    assert [(good.name, good.length) for good in ranking] == [
        ("白萝卜", RANKING_WIDTH),
        ("莴笋", RANKING_WIDTH / 4),
    ]


def test_every_village_is_on_the_map_and_the_one_that_sold_most_is_largest() -> None:
    places = read_board(board=an_answer(), villages=VILLAGES).places
    assert [place.slug for place in places] == [village["slug"] for village in VILLAGES]
    assert max(places, key=lambda place: place.place.radius).slug == "baima-park"
    assert all(0 < place.place.x < MAP_WIDTH and 0 < place.place.y < MAP_HEIGHT for place in places)
    assert {place.slug: place.kilograms for place in places}["lihua"] == 0


def test_a_map_without_figures_has_circles_of_one_size() -> None:
    places = draw_map(villages=VILLAGES, weights=None)
    assert len({place.place.radius for place in places}) == 1
    assert {place.kilograms for place in places} == {None}


def test_a_shop_that_sold_nothing_has_a_board_all_the_same() -> None:
    idle = [
        day | {"sales": {"amount": 0, "currency": "CNY"}, "kilograms": 0} for day in an_answer()["sevenDays"]
    ]
    board = read_board(
        board=an_answer(sevenDays=idle, byVillage=[], topGoods=[], latestCounts=[]), villages=VILLAGES
    )
    assert [day.bar.height for day in board.week.days] == [0] * 7
    assert (board.ranking, board.counts) == ((), ())


def test_large_figures_lose_their_decimals_and_small_ones_keep_one() -> None:
    assert [kilograms(Decimal(value)) for value in ("1284.5", "118.5", "88.8", "77", "0", "0.25")] == [
        "1,284",
        "118",
        "88.8",
        "77",
        "0",
        "0.2",
    ]
    assert [yuan(Decimal(value)) for value in ("0", "706.8", "12480.4")] == ["0", "707", "12,480"]
