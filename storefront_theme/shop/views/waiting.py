"""Waiting for what is sold out (到货通知)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from storefront_theme import session
from storefront_theme.client import ask
from storefront_theme.same_origin import same_origin_form
from storefront_theme.session import next_or, signed_in_only
from storefront_theme.shop.forms import EmailForm


@never_cache
@same_origin_form
@require_POST
def wait(request: HttpRequest) -> HttpResponse:
    """Puts the visitor on the list: by the address of their account, or by the one that a guest types.

    What a guest is told is the same for every address.
    """
    person = session.person(request)
    form = EmailForm(request.POST)
    wants_json = request.accepts("application/json") and not request.accepts("text/html")
    back = next_or(request, reverse("shop:home"))
    if person is not None or form.is_valid():
        answer = ask(
            request,
            "WaitForStock",
            variant=request.POST.get("variant", ""),
            email=None if person else form.cleaned_data["email"],
        )["waitForStock"]
        refused = " ".join(error["message"] for error in answer["errors"])
        said = refused or _("You get one letter when it can be bought again, within 30 days.")
        if wants_json:
            return JsonResponse({"message": said}, status=409 if refused else 200)
        messages.add_message(request, messages.WARNING if refused else messages.SUCCESS, said)
        return redirect(back)
    if wants_json:
        return JsonResponse({"message": form.errors["email"][0]}, status=422)
    return render(
        request,
        "shop/wait.html",
        {"here": "shelves", "form": form, "variant": request.POST.get("variant", ""), "next": back},
        status=422,
    )


@never_cache
@signed_in_only
@require_POST
def wait_stop(request: HttpRequest) -> HttpResponse:
    """Takes one's own entry off the list."""
    ask(request, "WaitStop", id=request.POST.get("wait", ""))
    messages.success(request, _("You no longer wait for it."))
    return redirect("shop:account")


@never_cache
@csrf_exempt  # RFC 8058: mail programs post to the link of a letter, which is all that it takes.
@require_http_methods(["GET", "HEAD", "POST"])
def wait_stop_all(request: HttpRequest, token: UUID) -> HttpResponse:
    """The link of a letter: a button that ends all waits of its address. It never says whether there were any."""
    if request.method == "POST":
        ask(request, "WaitStopAll", token=str(token))
    return render(request, "shop/wait_stop.html", {"here": "", "is_done": request.method == "POST"})
