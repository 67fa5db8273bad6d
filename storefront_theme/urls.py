"""Every page of the theme. Included at the root, after the doors of the API and the admin."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

from storefront_theme import pwa, seo
from storefront_theme.same_origin import same_origin_form

urlpatterns = [
    path("i18n/set/", same_origin_form(set_language), name="set_language"),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
    path("sw.js", pwa.worker, name="worker"),
    path("offline/", pwa.offline, name="offline"),
    path("robots.txt", seo.robots, name="robots"),
    path("sitemap.xml", seo.sitemap, name="sitemap"),
    path("desk/", include("storefront_theme.desk.urls")),
    path("", include("storefront_theme.town.urls")),
    path("", include("storefront_theme.shop.urls")),
]
