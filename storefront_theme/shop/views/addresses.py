"""The address book: where a buyer's goods may go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from storefront_theme.client import ask
from storefront_theme.session import signed_in_only
from storefront_theme.shop.addresses import begun_with, saved_addresses, with_fitting_lists, with_pasted
from storefront_theme.shop.forms import FIELD_OF_ADDRESS, PlaceForm
from storefront_theme.shop.places import places_below
from storefront_theme.shop.views.account import trail_to_account


@never_cache
@signed_in_only
@require_safe
def addresses(request: HttpRequest) -> HttpResponse:
    """All of one's own, the one that the checkout begins with at the front."""
    return render(
        request,
        "shop/addresses.html",
        {"here": "account", "trail": trail_to_account(), "addresses": saved_addresses(request)},
    )


@never_cache
@signed_in_only
@require_http_methods(["GET", "HEAD", "POST"])
def address_new(request: HttpRequest) -> HttpResponse:
    """One more; the first one is what the checkout begins with."""
    if request.method != "POST":
        return _page(request, typed={})
    if "read" in request.POST or "lists" in request.POST:
        return _read(request)
    form = PlaceForm(request.POST, places=places_below(request, request.POST))
    if form.is_valid():
        answer = ask(
            request,
            "AddressCreate",
            input=form.address(),
            type=None if saved_addresses(request) else "SHIPPING",
        )["accountAddressCreate"]
        if not _put_beside_fields(form, answer["accountErrors"]):
            messages.success(request, _("The address is saved."))
            return redirect("shop:addresses")
    return _page(request, form=form, status=422)


@never_cache
@signed_in_only
@require_http_methods(["GET", "HEAD", "POST"])
def address_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Changes one of one's own. Orders that went there keep it as it was."""
    mine = _mine(request, key)
    if request.method != "POST":
        return _page(request, typed=mine, key=key)
    if "read" in request.POST or "lists" in request.POST:
        return _read(request, key=key)
    form = PlaceForm(request.POST, places=places_below(request, request.POST))
    if form.is_valid():
        answer = ask(request, "AddressUpdate", id=key, input=form.address())["accountAddressUpdate"]
        if not _put_beside_fields(form, answer["accountErrors"]):
            messages.success(request, _("The address is saved."))
            return redirect("shop:addresses")
    return _page(request, form=form, key=key, status=422)


@never_cache
@signed_in_only
@require_POST
def address_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Takes one out of the book; one that is gone already is gone."""
    if any(address["id"] == key for address in saved_addresses(request)):
        answer = ask(request, "AddressDelete", id=key)["accountAddressDelete"]
        _say(request, answer["accountErrors"], _("The address is deleted."))
    return redirect("shop:addresses")


@never_cache
@signed_in_only
@require_POST
def address_default(request: HttpRequest, key: str) -> HttpResponse:
    """The checkout begins with this one from now on."""
    _mine(request, key)
    answer = ask(request, "AddressDefault", id=key)["accountSetDefaultAddress"]
    _say(request, answer["accountErrors"], _("The checkout begins with this address from now on."))
    return redirect("shop:addresses")


def _mine(request: HttpRequest, key: str) -> dict[str, Any]:
    """Raises Http404 for one that is not in the visitor's own book."""
    mine = next((address for address in saved_addresses(request) if address["id"] == key), None)
    if mine is None:
        raise Http404(key)
    return mine


def _read(request: HttpRequest, *, key: str = "") -> HttpResponse:
    """What was pasted goes into its fields, or the lists follow what was chosen; nothing is saved."""
    typed = {name: str(value) for name, value in request.POST.items() if name in PlaceForm.base_fields}
    followed = with_pasted if "read" in request.POST else with_fitting_lists
    return _page(request, typed=followed(request, typed), key=key)


def _put_beside_fields(form: PlaceForm, errors: list[Mapping[str, Any]]) -> bool:
    for error in errors:
        form.add_error(FIELD_OF_ADDRESS.get(error["field"] or ""), error["message"])
    return bool(errors)


def _say(request: HttpRequest, errors: list[Mapping[str, Any]], done: str) -> None:
    for error in errors:
        messages.warning(request, error["message"])
    if not errors:
        messages.success(request, done)


def _page(
    request: HttpRequest,
    *,
    typed: Mapping[str, Any] | None = None,
    form: PlaceForm | None = None,
    key: str = "",
    status: int = 200,
) -> HttpResponse:
    """typed: what stands in the fields, where nothing was checked yet; form: where it was."""
    return render(
        request,
        "shop/address.html",
        {
            "here": "account",
            "trail": [*trail_to_account(), (_("Addresses"), reverse("shop:addresses"))],
            "form": form or PlaceForm(**begun_with(request, typed or {})),
            "key": key,
        },
        status=status,
    )
