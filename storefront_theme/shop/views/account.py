from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from storefront_theme import session
from storefront_theme.client import ask
from storefront_theme.session import SignInRefused
from storefront_theme.shop.forms import RegisterForm, SignInForm
from storefront_theme.shop.order_way import state_of
from storefront_theme.shop.views.account_links import CONFIRM, address_of, to_letter


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """The signed-in buyer's orders, what they wait for, and the way to all else; for anybody else the way in."""
    if session.person(request) is None:
        return render(request, "shop/sign_in.html", {"here": "account", "form": SignInForm()})
    answer = ask(request, "Account")
    me = answer["me"]
    if me is None:
        session.sign_out(request)
        return redirect("shop:account")
    orders = [edge["node"] for edge in me["orders"]["edges"]]
    return render(
        request,
        "shop/account.html",
        {
            "here": "account",
            "me": me,
            "waits": answer["myWaits"],
            "orders": [{"order": order, "state": state_of(order)} for order in orders],
        },
    )


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Signs in and goes where the visitor was going."""
    back = session.next_or(request, reverse("shop:account"))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            session.sign_in(request, form.cleaned_data["email"], form.cleaned_data["password"])
        except SignInRefused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect(back)
    return render(
        request,
        "shop/sign_in.html",
        {"here": "account", "form": form, "next": back},
        status=422 if form.errors else 200,
    )


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """A new account; where mail can be sent, the address is confirmed first."""
    back = session.next_or(request, reverse("shop:account"))
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email, password = form.cleaned_data["email"], form.cleaned_data["password"]
        answer = ask(
            request,
            "Register",
            email=email,
            password=password,
            redirectUrl=address_of("shop:confirm"),
        )["accountRegister"]
        if not answer["accountErrors"]:
            if answer["requiresConfirmation"]:
                return to_letter(request, about=CONFIRM, email=email)
            session.sign_in(request, email, password)
            return redirect(back)
        for error in answer["accountErrors"]:
            if error["code"] == "TOO_MANY_ATTEMPTS":
                form.add_error(None, error["message"])
            elif error["field"] == "password":
                form.add_error(
                    "password",
                    _("This password is too easy to guess. Please choose another."),
                )
            else:
                form.add_error(
                    "email",
                    _("This address cannot be used. If it is yours, sign in instead."),
                )
    return render(
        request,
        "shop/register.html",
        {"here": "account", "form": form, "next": back},
        status=422 if form.errors else 200,
    )


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Forgets who was here."""
    session.sign_out(request)
    return redirect("shop:home")


def trail_to_account() -> list[tuple[str, str]]:
    """(name, address) of what stands above the pages of an account."""
    return [(_("My account"), reverse("shop:account"))]
