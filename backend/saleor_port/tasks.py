"""What Saleor leaves to a command or a cron job that it does not bring."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone


@shared_task
def update_all_minimal_variant_prices() -> None:
    """Recompute every product's lowest price, as update_all_products_minimal_variant_prices does."""
    from saleor.product.models import Product
    from saleor.product.utils.variant_prices import (
        update_products_minimal_variant_prices,
    )

    update_products_minimal_variant_prices(Product.objects.all())


@shared_task
def send_password_reset(*, email: str, redirect_url: str) -> None:
    """Mail the link for a new password, if that address has an account that is not shut."""
    from saleor.account import emails
    from saleor.account.models import User

    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None:
        emails.send_user_password_reset_email_with_url(redirect_url, user)


@shared_task
def send_already_registered(*, user_id: int) -> None:
    """Tell the owner of an account that somebody registered its address once more."""
    from saleor.account.models import User
    from saleor.core.emails import get_email_context
    from templated_email import send_templated_mail

    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is not None:
        options, context = get_email_context()
        send_templated_mail(
            template_name="account/already_registered",
            recipient_list=[user.email],
            context=context,
            **options,
        )


# A server that drips its answer byte by byte trips no time-out of a single read.
@shared_task(soft_time_limit=40, time_limit=60)
def deliver_webhook(delivery_pk: int) -> None:
    """Post one event to one webhook; what fails is tried again by queue_due_webhooks."""
    from backend.saleor_port.webhooks.delivery import deliver

    deliver(delivery_pk=delivery_pk, now=timezone.now())


@shared_task
def queue_due_webhooks() -> None:
    """Hand over what failed before, or what was written down while the broker was away."""
    from backend.saleor_port.webhooks.delivery import queue_due

    queue_due(now=timezone.now())


@shared_task
def forget_webhook_deliveries() -> None:
    """Delete the log of what was posted a month ago."""
    from backend.saleor_port.webhooks.delivery import forget

    forget(now=timezone.now())
