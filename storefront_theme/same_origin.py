"""Forms on pages that everybody shares: they hold no token, so the browser itself has to say where they come from.

A browser sends Sec-Fetch-Site with every request (all of them since 2023, over https), and Origin with every POST (all
of them since 2020); a page of another site can change neither. Whoever sends neither is asked once more, on a page of
their own with Django's token on it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

P = ParamSpec("P")


def comes_from_here(request: HttpRequest) -> bool:
    """Whether the browser says that one of the shop's own pages sent this."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and (
        origin == f"{request.scheme}://{request.get_host()}" or origin in settings.CSRF_TRUSTED_ORIGINS
    )


def same_origin_form(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A view whose form needs no token where the browser tells that it comes from here, and Django's elsewhere."""
    checked = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def from_here(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if comes_from_here(request):
            return view(request, *args, **kwargs)
        response: HttpResponse = checked(request, *args, **kwargs)
        return response

    from_here.asks_again = True  # type: ignore[attr-defined]  # read by refused
    return from_here


def refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What a form without a good token gets: the same form once more, to be sent from a page that has one; or a 403.

    Once more where the browser says that it came from here, so that what was typed is not lost with an old token; and
    where it says nothing, of forms that everybody shares. A password or a file is never written into a page.
    """
    view = getattr(request.resolver_match, "func", None)
    says_nothing = request.headers.get("Sec-Fetch-Site") is None
    is_ours = comes_from_here(request)
    has_secret = bool(request.FILES) or any("password" in name for name in request.POST)
    again = (is_ours and not has_secret) or (getattr(view, "asks_again", False) and says_nothing)
    fields = [
        (name, value)
        for name in request.POST
        if name != "csrfmiddlewaretoken"
        for value in request.POST.getlist(name)
    ]
    return render(
        request,
        "shop/once_more.html" if again else "shop/stale_form.html",
        {"fields": fields, "action": request.get_full_path(), "is_ours": is_ours},
        status=403,
    )
