"""Orders to pack, as they leave the shed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storefront_theme.templatetags.shop import window_text


@dataclass(frozen=True)
class Order:
    """An order's share of this cooperative. placed_at is aware; the phone is masked already."""

    number: str
    placed_at: datetime
    customer: str
    phone: str
    note: str
    window: str
    gift_note: str
    is_paid: bool
    total: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Stop:
    """Where orders go together: a van's round, a courier, or a pick-up point."""

    kind: str
    name: str
    address: str
    orders: tuple[Order, ...]


def _leaves(order: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return order["deliveryOn"] or "", order["deliveryFrom"] or "", order["placedAt"], order["number"]


def _window(order: Mapping[str, Any]) -> str:
    if not order["deliveryOn"]:
        return ""
    return window_text(day=order["deliveryOn"], starts=order["deliveryFrom"], ends=order["deliveryUntil"])


def by_stop(orders: Sequence[Mapping[str, Any]]) -> list[Stop]:
    """Orders grouped by how they leave, van first, then courier, then pick-up points; in each
    those first that are wanted first, then the oldest."""
    groups: dict[tuple[str, str, str], list[Order]] = {}
    for order in sorted(orders, key=_leaves):
        stop = (
            order["deliveryKind"] or "",
            order["deliveryName"],
            order["pickUpAddress"] or "",
        )
        groups.setdefault(stop, []).append(
            Order(
                number=order["number"],
                placed_at=datetime.fromisoformat(order["placedAt"]),
                customer=order["customer"],
                phone=order["phoneMasked"],
                note=order["note"],
                window=_window(order),
                gift_note=order["giftNote"],
                is_paid=order["isPaid"],
                total=order["total"],
                lines=tuple(order["lines"]),
            )
        )
    ranks = {"OWN_VAN": 0, "NEXT_DAY": 1, "PICK_UP": 2}
    return [
        Stop(kind=kind, name=name, address=address, orders=tuple(found))
        for (kind, name, address), found in sorted(
            groups.items(), key=lambda item: (ranks.get(item[0][0], 3), item[0][1])
        )
    ]
