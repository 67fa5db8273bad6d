"""What Saleor leaves to a command or a cron job that it does not bring."""

from __future__ import annotations

from celery import shared_task


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
