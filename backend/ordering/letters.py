"""Letters about an order that Saleor has none for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from saleor.account.models import StaffNotificationRecipient, User
from saleor.core.emails import get_email_context
from templated_email import send_templated_mail

from backend.ordering.models import Claim

log = structlog.get_logger(__name__)

DECIDES_CLAIMS = "order.manage_orders"
"""Who of the staff is told of a claim where nobody is named to hear of orders."""


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


def send_new_claim(*, claim_pk: UUID) -> int:
    """Tell the staff that a claim waits. Returns how many were written to.

    Those who hear of new orders, as Saleor lists them; where it lists nobody, all who may decide. No photo and no word of the buyer's is in it: those are looked at in the admin, by who may.
    """
    claim = Claim.objects.select_related("order_line__order").get(pk=claim_pk)
    if claim.status != Claim.Status.OPEN:
        return 0
    readers = _staff_readers()
    if not readers:
        log.warning("claim_has_no_reader", claim=str(claim_pk))
        return 0
    options, context = get_email_context()
    send_templated_mail(
        template_name="order/staff_new_claim",
        # Nobody needs to learn the others' addresses.
        recipient_list=[],
        bcc=readers,
        context={
            **context,
            "claim": claim,
            "order": claim.order_line.order,
            "line": claim.order_line,
            "claim_url": f"{settings.PUBLIC_URL}{reverse('admin:ordering_claim_change', args=[claim.pk])}",
        },
        **options,
    )
    return len(readers)


def _staff_readers() -> list[str]:
    named = StaffNotificationRecipient.objects.filter(
        active=True, user__is_active=True, user__is_staff=True
    ).order_by("pk")
    if named:
        return [recipient.get_email() for recipient in named]
    staff = User.objects.filter(is_active=True, is_staff=True).order_by("pk")
    return [user.email for user in staff if user.has_perm(DECIDES_CLAIMS)]
