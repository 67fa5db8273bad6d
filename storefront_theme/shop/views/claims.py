"""Claims for what arrived spoilt, short or wrong, with photos. JavaScript makes the photos small before they are sent."""

from __future__ import annotations

import base64
import uuid
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from storefront_theme.client import ask
from storefront_theme.shop.claim_form import FIELD_OF_API, ClaimForm, problem_names


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, token: UUID) -> HttpResponse:
    """Says what is wrong with which goods. A second tap is no second claim: the form's key sees to that."""
    found = ask(request, "OrderClaim", token=str(token))["orderByToken"]
    if found is None:
        raise Http404(token)
    lines = {each["orderLine"]["id"]: each["packs"] for each in found["claimable"]}
    notices: list[str] = []
    if request.method == "POST":
        form = ClaimForm(request.POST, request.FILES, lines=lines)
        if form.is_valid():
            answer = _open(request, token=token, form=form)
            if not answer["errors"]:
                messages.success(request, _("Your claim is in. We look at it and write to you."))
                return redirect("shop:order", token=token)
            notices = _said(form, answer["errors"])
    elif not lines:
        return redirect("shop:order", token=token)
    else:
        form = ClaimForm(lines=lines, initial={"line": _chosen(request, lines), "packs": 1})
    return render(
        request,
        "shop/claim.html",
        {
            "here": "account",
            "order": found,
            "form": form,
            "notices": notices,
            "lines": [_line(each, chosen=str(form["line"].value() or "")) for each in found["claimable"]],
            "problems": [
                {"id": name, "name": said, "chosen": form["problem"].value() == name}
                for name, said in problem_names().items()
            ],
            "key": request.POST.get("key") or uuid.uuid4().hex,
        },
        status=422 if request.method == "POST" else 200,
    )


@never_cache
@require_safe
def photo(request: HttpRequest, token: UUID, photo: UUID) -> HttpResponse:
    """A photo of a claim, for whose order it is. It is a picture, and never anything that runs."""
    found = ask(request, "ClaimPhoto", order=str(token), id=str(photo))["claimPhoto"]
    if found is None:
        raise Http404(photo)
    response = HttpResponse(base64.b64decode(found), content_type="image/jpeg")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _open(request: HttpRequest, *, token: UUID, form: ClaimForm) -> dict[str, Any]:
    said = form.cleaned_data
    answer: dict[str, Any] = ask(
        request,
        "ClaimOpen",
        input={
            "order": str(token),
            "line": said["line"],
            "packs": said["packs"],
            "problem": said["problem"],
            "words": said["words"],
            "idempotencyKey": request.POST.get("key", ""),
        },
        photos=said["photos"],
    )["claimOpen"]
    return answer


def _said(form: ClaimForm, errors: list[dict[str, Any]]) -> list[str]:
    """The API's errors, each beside its field; the rest for the top of the page."""
    notices = []
    for error in errors:
        field = FIELD_OF_API.get(error["field"] or "")
        if field:
            form.add_error(field, error["message"])
        else:
            notices.append(error["message"])
    return notices


def _chosen(request: HttpRequest, lines: dict[str, int]) -> str:
    """The line that the order's page led here from, or the only one there is."""
    asked = request.GET.get("line", "")
    if asked in lines:
        return asked
    return next(iter(lines)) if len(lines) == 1 else ""


def _line(claimable: dict[str, Any], *, chosen: str) -> dict[str, Any]:
    line = claimable["orderLine"]
    return {
        "id": line["id"],
        "name": line["translatedProductName"] or line["productName"],
        "pack": line["translatedVariantName"] or line["variantName"],
        "packs": claimable["packs"],
        "hours": claimable["hours"],
        "until": claimable["until"],
        "picture": (line["thumbnail"] or {}).get("url"),
        "chosen": line["id"] == chosen,
    }
