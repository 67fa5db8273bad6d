from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.common.errors import ShopError


class OrderRefused(ShopError):
    """The order cannot be placed as asked; field names the part of the request to change."""

    code = "order_refused"

    def __init__(self, message: str | Promise, *, code: str, field: str | None = None) -> None:
        super().__init__(message, code=code)
        self.field = field


class ClaimRefused(ShopError):
    """The claim cannot be taken, or decided, as asked; field names the part of the request to change."""

    code = "claim_refused"

    def __init__(self, message: str | Promise, *, code: str, field: str | None = None) -> None:
        super().__init__(message, code=code)
        self.field = field


@dataclass(frozen=True)
class ShortItem:
    """A variant of which fewer packs are left than were asked for."""

    variant_pk: int
    name: str
    asked: int
    left: int

    @property
    def message(self) -> str:
        if self.left:
            return _("Only %(left)s of %(name)s are left: somebody was a moment quicker.") % {
                "left": self.left,
                "name": self.name,
            }
        return _("%(name)s has just sold out: somebody was a moment quicker.") % {"name": self.name}


class ShortStock(ShopError):
    """Some goods are no longer there in the quantity asked for. Nothing was ordered, nothing was taken."""

    code = "insufficient_stock"

    def __init__(self, items: tuple[ShortItem, ...]) -> None:
        super().__init__(_("Some goods are no longer there in that quantity."))
        self.items = items
