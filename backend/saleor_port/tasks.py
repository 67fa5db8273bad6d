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
