"""The app through which the second half of the port is applied."""

from __future__ import annotations

from django.apps import AppConfig


class SaleorPortConfig(AppConfig):
    """Stands after Saleor's apps and before our rooms in INSTALLED_APPS."""

    name = "backend.saleor_port"
    label = "saleor_port"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # saleor.product.tasks and saleor.product.utils import each other: entering by utils works, by tasks
        # (where Celery's autodiscovery enters) does not.
        import saleor.product.utils  # noqa: F401  (imported for the order)

        from backend.saleor_port import install_after_import

        install_after_import()
