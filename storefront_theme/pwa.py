"""The shop on a phone's home screen: its manifest, its service worker, and the page for when there is no network.

The service worker keeps the style sheet, the script, the logo and that one page. It shows no old page of the shop in
place of a new one: a price or a count that may be wrong is worse than none.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

KEPT_FILES = ("tokens.css", "shop.css", "shop.js", "pictures/brand/logo.svg", "pictures/brand/favicon.svg")
WORKER = Path(__file__).parent / "static" / "sw.js"


@cache_control(public=True, max_age=3600)
@require_safe
def manifest(_request: HttpRequest) -> JsonResponse:
    """https://www.w3.org/TR/appmanifest/"""
    response = JsonResponse(
        {
            "id": "/",
            "name": _("Xinyi Basket"),
            "short_name": _("Xinyi Basket"),
            "description": _("Sichuan vegetables from the Baima park and the villages of Xinyi town."),
            "start_url": reverse("shop:home"),
            "scope": "/",
            "display": "standalone",
            "background_color": "#FAF7F0",
            "theme_color": "#FAF7F0",
            "icons": [
                {
                    "src": static(f"pictures/brand/icon-{size}.png"),
                    "sizes": f"{size}x{size}",
                    "type": "image/png",
                    "purpose": purpose,
                }
                for size in (192, 512)
                for purpose in ("any", "maskable")
            ],
        },
        json_dumps_params={"ensure_ascii": False},
    )
    response.headers["Content-Type"] = "application/manifest+json"
    return response


@cache_control(public=True, no_cache=True)
@require_safe
def worker(_request: HttpRequest) -> HttpResponse:
    """The service worker, at the root, so that it may look after the whole shop."""
    kept = [*(static(name) for name in KEPT_FILES), reverse("offline")]
    text = WORKER.read_text(encoding="utf-8")
    release = hashlib.blake2b(f"{kept}{text}".encode(), digest_size=6).hexdigest()
    head = f"const RELEASE = {json.dumps(f'xinyi-{release}')};\nconst KEPT = {json.dumps(kept)};\n"
    return HttpResponse(head + text, content_type="text/javascript; charset=utf-8")


@cache_control(public=True, max_age=300)
@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """In both languages: it is kept before anybody knows which one will be read."""
    return render(request, "offline.html")
