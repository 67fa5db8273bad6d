from typing import Any

from storefront_theme.desk.pack_list import by_stop


def an_order(number: str, *, kind: str | None, stop: str, placed_at: str, **changed: Any) -> dict[str, Any]:
    return {
        "number": number,
        "placedAt": f"2026-11-23T{placed_at}:00+08:00",
        "deliveryKind": kind,
        "deliveryName": stop,
        "pickUpAddress": f"{stop} 1 号" if kind == "PICK_UP" else None,
        "customer": "李*",
        "phoneMasked": "138****5678",
        "note": "",
        "deliveryOn": None,
        "deliveryFrom": None,
        "deliveryUntil": None,
        "giftNote": "",
        "isPaid": False,
        "total": {"amount": 7.0, "currency": "CNY"},
        "lines": [],
        **changed,
    }


def test_orders_are_grouped_by_how_they_leave_and_the_oldest_comes_first() -> None:
    stops = by_stop(
        [
            an_order("5", kind="PICK_UP", stop="刘家场", placed_at="09:00"),
            an_order("4", kind=None, stop="", placed_at="08:30"),
            an_order("3", kind="OWN_VAN", stop="绵阳城区", placed_at="08:00"),
            an_order("2", kind="PICK_UP", stop="白马园区", placed_at="07:00"),
            an_order("1", kind="OWN_VAN", stop="绵阳城区", placed_at="06:00"),
            an_order("6", kind="NEXT_DAY", stop="四川次日达", placed_at="10:00"),
        ]
    )
    assert [(stop.kind, stop.name, [order.number for order in stop.orders]) for stop in stops] == [
        ("OWN_VAN", "绵阳城区", ["1", "3"]),
        ("NEXT_DAY", "四川次日达", ["6"]),
        ("PICK_UP", "刘家场", ["5"]),
        ("PICK_UP", "白马园区", ["2"]),
        ("", "", ["4"]),
    ]
    assert stops[2].address == "刘家场 1 号"


def test_nothing_to_pack_is_no_stop() -> None:
    assert by_stop([]) == []


def test_what_is_wanted_first_is_packed_first() -> None:
    late = an_order(
        "1",
        kind="OWN_VAN",
        stop="绵阳城区",
        placed_at="06:00",
        deliveryOn="2026-11-24",
        deliveryFrom="15:00:00",
        deliveryUntil="18:00:00",
    )
    early = an_order(
        "2",
        kind="OWN_VAN",
        stop="绵阳城区",
        placed_at="07:00",
        deliveryOn="2026-11-24",
        deliveryFrom="09:00:00",
        deliveryUntil="12:00:00",
    )
    [stop] = by_stop([late, early])
    assert [each.number for each in stop.orders] == ["2", "1"]
    assert "9:00–12:00" in stop.orders[0].window
