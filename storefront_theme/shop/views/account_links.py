"""What the letters about an account lead to: an address is confirmed, a forgotten password replaced.

Opening a link changes nothing, a button does: mail programs open links before their readers do, and a link is good
for one time.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from storefront_theme import session
from storefront_theme.client import ApiError, ask
from storefront_theme.session import LinkStale, PasswordRefused, SignInRefused
from storefront_theme.shop.forms import EmailForm, NewPasswordForm

_LETTER = "letter"

CONFIRM, PASSWORD = "confirm", "password"
"""What a letter is about, which letter.html words."""


def address_of(page: str) -> str:
    """The whole address of a page of ours, for a letter: those that the API sends lead here."""
    return f"{settings.PUBLIC_URL}{reverse(page)}"


def to_letter(request: HttpRequest, *, about: str, email: str) -> HttpResponse:
    """Off to the page that says which letter is on its way, and where to."""
    request.session[_LETTER] = {"about": about, "to": email}
    return redirect("shop:letter")


@never_cache
@require_safe
def letter(request: HttpRequest) -> HttpResponse:
    """A letter is on its way: to confirm an address, or for a new password."""
    sent = request.session.get(_LETTER)
    if sent is None:
        return redirect("shop:account")
    return render(request, "shop/letter.html", {"here": "account", "letter": sent})


@never_cache
@sensitive_post_parameters("token")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """One tap and the account is open; a link that is used or old says what to do instead."""
    email, token = _link(request)
    if not email or not token:
        return _stale(request, CONFIRM)
    if request.method == "POST":
        answer = ask(request, "ConfirmAccount", email=email, token=token)["confirmAccount"]
        if answer["accountErrors"]:
            return _stale(request, CONFIRM)
        request.session.pop(_LETTER, None)
        messages.success(request, _("Your address is confirmed. Please sign in."))
        return redirect("shop:sign_in")
    return render(request, "shop/confirm.html", {"here": "account", "email": email, "token": token})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgot(request: HttpRequest) -> HttpResponse:
    """Asks for a link by mail. Whether the address has an account is not said."""
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        answer = ask(
            request, "RequestPasswordReset", email=email, redirectUrl=address_of("shop:new_password")
        )["requestPasswordReset"]
        if not answer["accountErrors"]:
            return to_letter(request, about=PASSWORD, email=email)
        for error in answer["accountErrors"]:
            if error["code"] != "TOO_MANY_ATTEMPTS":
                raise ApiError(f"RequestPasswordReset: {error}")
            form.add_error(None, error["message"])
    return render(
        request,
        "shop/forgot.html",
        {"here": "account", "form": form},
        status=422 if form.errors else 200,
    )


@never_cache
@sensitive_post_parameters("password", "token")
@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest) -> HttpResponse:
    """Sets the password that the link is for, and signs in with it."""
    email, token = _link(request)
    if not email or not token:
        return _stale(request, PASSWORD)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            session.set_password(request, email=email, token=token, password=form.cleaned_data["password"])
        except LinkStale:
            return _stale(request, PASSWORD)
        except PasswordRefused as refused:
            form.add_error("password", str(refused))
        except SignInRefused as refused:
            # The password is the new one, but somebody has tried too many others.
            messages.warning(request, _("Your new password is set.") + " " + str(refused))
            return redirect("shop:sign_in")
        else:
            request.session.pop(_LETTER, None)
            messages.success(request, _("Your new password is set, and you are signed in."))
            return redirect("shop:account")
    return render(
        request,
        "shop/new_password.html",
        {"here": "account", "form": form, "email": email, "token": token},
        status=422 if form.errors else 200,
    )


def _link(request: HttpRequest) -> tuple[str, str]:
    """(address, token) of the link, or of the form that it led to."""
    given = request.POST if request.method == "POST" else request.GET
    return given.get("email", "").strip(), given.get("token", "").strip()


def _stale(request: HttpRequest, about: str) -> HttpResponse:
    return render(request, "shop/stale_link.html", {"here": "account", "about": about}, status=410)
