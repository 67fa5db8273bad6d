"""Taking one's data along, and closing the account: each asks for the password once more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from storefront_theme import session
from storefront_theme.client import ask
from storefront_theme.session import signed_in_only
from storefront_theme.shop.forms import PasswordForm
from storefront_theme.shop.views.account import trail_to_account
from storefront_theme.templatetags.shop import SHANGHAI


@never_cache
@sensitive_post_parameters("password")
@signed_in_only
@require_http_methods(["GET", "HEAD", "POST"])
def data(request: HttpRequest) -> HttpResponse:
    """A file with all that the shop holds of who asks."""
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = ask(request, "AccountExport", password=form.cleaned_data["password"])["accountExport"]
        if not _put_beside_fields(form, answer["errors"]):
            day = timezone.now().astimezone(SHANGHAI).date()
            return HttpResponse(
                answer["file"],
                content_type="application/json; charset=utf-8",
                headers={"Content-Disposition": f'attachment; filename="xinyi-basket-{day}.json"'},
            )
    return render(
        request,
        "shop/own_data.html",
        {"here": "account", "trail": trail_to_account(), "form": form},
        status=422 if form.errors else 200,
    )


@never_cache
@sensitive_post_parameters("password")
@signed_in_only
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest) -> HttpResponse:
    """Closes the account at once; says before what goes and what has to stay."""
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = ask(request, "AccountClose", password=form.cleaned_data["password"])["accountClose"]
        if not _put_beside_fields(form, answer["errors"]):
            session.sign_out(request)
            messages.success(request, _("Your account is closed. Thank you for having been here."))
            return redirect("shop:home")
    return render(
        request,
        "shop/close.html",
        {"here": "account", "trail": trail_to_account(), "form": form},
        status=422 if form.errors else 200,
    )


def _put_beside_fields(form: PasswordForm, errors: list[Mapping[str, Any]]) -> bool:
    for error in errors:
        form.add_error("password" if error["field"] == "password" else None, error["message"])
    return bool(errors)
