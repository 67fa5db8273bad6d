"""Letters about an order that Saleor has none for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from saleor.core.emails import get_email_context
from templated_email import send_templated_mail

from backend.ordering.models import Claim


@transaction.atomic
def send_claim_decision(*, claim_pk: UUID, now: datetime) -> bool:
    """Tell the buyer what was decided, once. False where nobody is to be told, or was told already."""
    claim = (
        Claim.objects.select_for_update(of=("self",))
        .select_related("order_line__order__placement", "order_line__order__user")
        .get(pk=claim_pk)
    )
    order = claim.order_line.order
    recipient = order.get_customer_email()
    if claim.told_at is not None or claim.status == Claim.Status.OPEN or not recipient:
        return False
    options, context = get_email_context()
    placement = getattr(order, "placement", None)
    send_templated_mail(
        template_name="order/claim_decided",
        recipient_list=[recipient],
        context={
            **context,
            "claim": claim,
            "order": order,
            "line": claim.order_line,
            "is_cash": placement is not None and placement.pays_on_collection,
            "order_details_url": f"{settings.PUBLIC_URL}/orders/{order.token}/",
        },
        **options,
    )
    claim.told_at = now
    claim.save(update_fields=["told_at"])
    return True
