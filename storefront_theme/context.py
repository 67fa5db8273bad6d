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
        "icp_number": settings.ICP_NUMBER,
        "police_number": settings.POLICE_NUMBER,
        "public_url": settings.PUBLIC_URL,
        "is_demo_shop": settings.DEMO,
        "person": session.person(request),
        "basket_count": basket.count(request),
    }
