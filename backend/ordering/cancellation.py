"""A buyer takes an order back, as long as nobody has gone into the field for it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User
from saleor.order import OrderStatus
from saleor.order.actions import cancel_order
from saleor.order.models import Order

from backend.common.clock import SHOP_ZONE
from backend.ordering.errors import OrderRefused
from backend.ordering.models import Placement
from backend.ordering.services import NOBODY
from backend.ordering.vouchers import return_voucher
from backend.ordering.windows import harvest_day


def harvest_starts(*, placement: Placement) -> datetime:
    """The evening before the order's harvest: until then it can be taken back, from then on it is picked and packed."""
    first = harvest_day(now=placement.placed_at, cut_off=settings.DELIVERY_CUT_OFF)
    kind = getattr(getattr(placement.order.shipping_method, "delivery", None), "kind", "")
    if placement.delivery_on is not None:
        later = timedelta(days=settings.DELIVERY_DAYS_LATER.get(kind, 0))
        first = max(first, placement.delivery_on - later)
    return datetime.combine(first - timedelta(days=1), time(settings.CANCEL_UNTIL), tzinfo=SHOP_ZONE)


def cancellable_until(*, placement: Placement) -> datetime | None:
    """The evening before the harvest, while the order is untouched and unpaid; None once it cannot be cancelled."""
    order = placement.order
    if order.status != OrderStatus.UNFULFILLED or order.is_partly_paid():
        return None
    return harvest_starts(placement=placement)


@transaction.atomic
def cancel_own_order(*, token: UUID, user: User | None, now: datetime) -> Order:
    """Cancel an order and give its goods back to the shelves, its voucher to the buyer. Twice is once.

    A guest's order is theirs who know its token; a signed-in buyer's only theirs. Raises OrderRefused.
    """
    order = (
        Order.objects.select_for_update(of=("self",))
        .filter(token=str(token), placement__isnull=False)
        .first()
    )
    if order is None or (order.user_id is not None and order.user_id != (user.pk if user else None)):
        raise OrderRefused(_("There is no such order of yours."), code="not_found", field="token")
    if order.status == OrderStatus.CANCELED:
        return order
    until = cancellable_until(placement=order.placement)
    if until is None or now >= until:
        raise OrderRefused(
            _("It is too late to cancel this order here: it is paid, or being harvested. Please call us."),
            code="too_late_to_cancel",
        )
    cancel_order(order=order, user=user or NOBODY)
    return_voucher(order=order)
    return order
