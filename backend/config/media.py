"""Uploads on a machine without a proxy: the demo's, and a developer's. In production nginx answers the same."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.static import serve

HEADERS = {
    # Whatever somebody managed to upload, it is a picture or a download, and runs nothing.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """The file under MEDIA_ROOT. django-csp leaves a policy alone that is there already."""
    response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response
