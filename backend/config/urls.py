"""Every address of the shop. The theme's pages come last, since they hold the root."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, path
from django.views.static import serve

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
]

if settings.DEMO or settings.DEBUG:
    # In production the proxy serves uploads, with a sandboxing policy; a machine without one does it here.
    urlpatterns.append(path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}))
