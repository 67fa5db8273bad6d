"""Language, and what a visitor sees when the API says no."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers

from storefront_theme import session
from storefront_theme.client import ApiRefused, ApiUnavailable

Answer = Callable[[HttpRequest], HttpResponse]


def choose_language(get_response: Answer) -> Answer:
    """Chinese, unless the visitor asked for English: by the switch (a cookie) or by ?lang=en, which sets it.

    Accept-Language is not consulted: many phones in China are sold speaking English.
    """
    known = dict(settings.LANGUAGES)

    def middleware(request: HttpRequest) -> HttpResponse:
        asked = request.GET.get("lang", "").lower()
        chosen = asked if asked in known else request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in known else settings.LANGUAGE_CODE
        request.LANGUAGE_CODE = language
        with translation.override(language):
            response = get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Cookie",))
        if asked in known:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                asked,
                max_age=365 * 24 * 3600,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return response

    return middleware


class ApiErrorPages:
    """A closed door gets a sign-in or a 403, an API that is away a 503; all else stays a 500."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Called by Django for what a view raised."""
        if isinstance(exception, ApiRefused):
            if session.person(request) is None:
                return session.to_sign_in(request)
            return render(request, "403.html", status=403)
        if isinstance(exception, ApiUnavailable):
            return render(request, "503.html", status=503)
        return None
