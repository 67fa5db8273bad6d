"""What every page's frame shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from storefront_theme import session
from storefront_theme.caching import canonical_path
from storefront_theme.shop import basket


def shop(request: HttpRequest) -> dict[str, Any]:
    """The page's own address, footer numbers, the signed-in person, how much lies in the basket, whether this is the demo shop."""
    if not hasattr(request, "session"):
        return {}
    return {
        "address": canonical_path(request),
        "public_address": _public_address(request),
        "icp_number": settings.ICP_NUMBER,
        "police_number": settings.POLICE_NUMBER,
        "public_url": settings.PUBLIC_URL,
        "is_demo_shop": settings.DEMO,
        "person": session.person(request),
        "basket_count": basket.count(request),
    }


def _public_address(request: HttpRequest) -> str:
    """Where search engines find the page; '' for one that is a visitor's own. A view may say another: `canonical`."""
    view = getattr(request.resolver_match, "func", None)
    return f"{settings.PUBLIC_URL}{request.path}" if hasattr(view, "keeping") else ""
