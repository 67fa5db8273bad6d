"""What is in the shed: a ledger of movements, projected onto Saleor's Stock rows."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StockConfig(AppConfig):
    name = "backend.stock"
    label = "stock"
    verbose_name = _("Stock")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backend.saleor_port.warehouse import set_stock_keeper
        from backend.stock.allocation import LedgerStockKeeper

        set_stock_keeper(LedgerStockKeeper())
