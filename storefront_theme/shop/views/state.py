"""What a kept page cannot say, for its script."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from storefront_theme import session
from storefront_theme.shop import basket


@never_cache
@require_safe
def state(request: HttpRequest) -> JsonResponse:
    """Who is signed in (or null), and how many packs lie in the basket."""
    person = session.person(request)
    return JsonResponse({"name": person.called if person else None, "count": basket.count(request)})
