"""Every address of the shop. The theme's pages come last, since they hold the root."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext_lazy as _
from django_prices_vatlayer.models import VAT

from backend.api.views import ApiView
from backend.config.health import health
from backend.config.media import media
from backend.config.metrics import metrics
from backend.saleor_port.second_factor import second_factor

admin.site.site_header = admin.site.site_title = _("Xinyi Basket: back office")
admin.site.index_title = _("Catalogue and operations")
# Saleor reads this table, which stays empty: prices here include their tax.
admin.site.unregister(VAT)

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health, name="health"),
    path("metrics", metrics, name="metrics"),
    path("admin/second-factor/", second_factor, name="second_factor"),
    path("admin/", admin.site.urls),
    # The name is Saleor's: its middleware looks an app's token up only on this path.
    path("graphql/", ApiView.as_view(), name="api"),
]

if settings.DEMO or settings.DEBUG:
    # In production the proxy serves uploads, with a sandboxing policy; a machine without one does it here.
    urlpatterns.append(path("media/<path:path>", media))

urlpatterns.append(path("", include("storefront_theme.urls")))
