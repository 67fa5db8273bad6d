"""Signing in and out, and pages that ask who is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from storefront_theme import client, visitor
from storefront_theme.visitor import Person, person, token

__all__ = [
    "LinkStale",
    "PasswordRefused",
    "Person",
    "SignInRefused",
    "next_or",
    "person",
    "set_password",
    "sign_in",
    "sign_out",
    "signed_in_only",
    "to_sign_in",
    "token",
]

P = ParamSpec("P")


class SignInRefused(Exception):
    """The message says why, in the visitor's language."""


class PasswordRefused(Exception):
    """A new password that is too easy to guess. The message is for its field."""


class LinkStale(Exception):
    """The link in the letter opens nothing: used, too old, or not quite copied."""


def sign_in(request: HttpRequest, email: str, password: str) -> Person:
    """Exchange an address and a password for a token. Raises SignInRefused. A guest's basket stays."""
    answer = client.ask(request, "SignIn", email=email.strip(), password=password)["tokenCreate"]
    user = answer["user"] if answer else None
    for error in answer["accountErrors"] if answer else ():
        if error["code"] == "TOO_MANY_ATTEMPTS":
            raise SignInRefused(error["message"])
    if not user or not answer["token"]:
        raise SignInRefused(_("The address or the password is not right."))
    return _remember(request, answer)


def set_password(request: HttpRequest, *, email: str, token: str, password: str) -> Person:
    """Give the account of a letter's link a new password, and sign in with it.

    Raises LinkStale or PasswordRefused where the password stays as it was, SignInRefused where only the sign-in failed.
    """
    answer = client.ask(request, "SetPassword", email=email, token=token, password=password)["setPassword"]
    for error in answer["accountErrors"]:
        if error["code"] == "TOO_MANY_ATTEMPTS":
            raise SignInRefused(error["message"])
        if error["field"] == "password":
            raise PasswordRefused(_("This password is too easy to guess. Please choose another."))
        raise LinkStale
    return _remember(request, answer)


def _remember(request: HttpRequest, answer: Mapping[str, Any]) -> Person:
    user = answer["user"]
    found = Person(
        email=user["email"],
        name=f"{user['lastName']}{user['firstName']}".strip(),
        is_staff=bool(user["isStaff"]),
    )
    visitor.remember(request, token=answer["token"], person=found, refresh_token=answer["refreshToken"] or "")
    return found


def sign_out(request: HttpRequest) -> None:
    """Forget who is here, and the whole session with it."""
    visitor.forget(request)


def signed_in_only(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A view that asks who is there first, and comes back afterwards."""

    @wraps(view)
    def asked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if person(request) is None:
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    return asked


def to_sign_in(request: HttpRequest) -> HttpResponseRedirect:
    """Off to the sign-in page, which returns to this one."""
    here = request.get_full_path() if request.method in {"GET", "HEAD"} else request.path
    return HttpResponseRedirect(f"{reverse('shop:sign_in')}?{urlencode({'next': here})}")


def next_or(request: HttpRequest, default: str) -> str:
    """The address that the form names as `next`, if it is ours; otherwise the default."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return default
