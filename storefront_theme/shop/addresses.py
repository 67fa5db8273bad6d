"""Addresses between the API and the forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from storefront_theme import session
from storefront_theme.client import ask
from storefront_theme.shop.forms import CITY, DISTRICT, PROVINCE
from storefront_theme.shop.places import places_below, with_town

PLACE = ("province", "city", "district", "street", "postcode")
_MOST_SAVED = 20


def saved_addresses(request: HttpRequest) -> list[dict[str, Any]]:
    """A signed-in buyer's own, as they would be typed, each with its id; the default one first. Nobody else has any."""
    me = ask(request, "AddressBook")["me"] if session.person(request) else None
    if me is None:
        return []
    default = (me["defaultShippingAddress"] or {}).get("id")
    saved = [
        {"id": address["id"], "is_default": address["id"] == default, **as_typed(address)}
        for address in me["addresses"]
    ]
    return sorted(saved, key=lambda address: not address["is_default"])[:_MOST_SAVED]


def as_typed(address: Mapping[str, Any]) -> dict[str, str]:
    """What a buyer would have typed to get this address of the API's."""
    return {
        "name": f"{address['lastName']}{address['firstName']}",
        "phone": (address["phone"] or "").removeprefix("+86").strip(),
        "province": address["countryArea"],
        # The districts of a municipality stand where a province's cities do.
        "city": address["city"] if address["cityArea"] else address["countryArea"],
        "district": address["cityArea"] or address["city"],
        "street": address["streetAddress1"],
        "postcode": address["postalCode"],
    }


def with_pasted(request: HttpRequest, typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed, with what was understood of the pasted text in its fields, for the buyer to look at; says so."""
    understood = ask(request, "ReadAddress", text=typed.get("pasted", ""))["readAddress"]
    # One place is replaced by another as a whole: half of an old one would send the goods astray.
    place = {"town": ""} | {field: understood[field] for field in PLACE} if understood["province"] else {}
    who = {field: understood[field] for field in ("name", "phone") if understood[field]}
    if place or who:
        messages.success(request, _("We have filled in what we understood. Please look it over."))
    else:
        messages.warning(request, _("No name, number or place was found in that. Please fill in the fields."))
    return {**typed, **place, **who}


def with_saved(
    request: HttpRequest, typed: Mapping[str, str], *, saved: list[dict[str, Any]], key: str
) -> dict[str, str]:
    """What was typed, with one of the saved addresses in the place of recipient and place."""
    address = next((each for each in saved if each["id"] == key), None)
    if address is None:
        messages.warning(request, _("This address is not in your address book any more."))
        return dict(typed)
    return {**typed, "town": "", **{field: address[field] for field in ("name", "phone", *PLACE)}}


def is_same_place(address: Mapping[str, Any], typed: Mapping[str, Any]) -> bool:
    """Whether a saved address is the recipient and the place that are typed, however they are spaced."""
    return _squeezed(address) == _squeezed(typed)


def _squeezed(typed: Mapping[str, Any]) -> str:
    fields = ("name", "phone", "province", "city", "district", "town", "street")
    return "".join("".join(str(typed.get(field) or "") for field in fields).split())


def begun_with(request: HttpRequest, typed: Mapping[str, Any]) -> dict[str, Any]:
    """What a PlaceForm that nobody has checked yet is made with: what stands in its fields, and its lists."""
    place = {"province": PROVINCE, "city": CITY, "district": DISTRICT} | dict(typed)
    places = places_below(request, place)
    return {"initial": with_town(typed, towns=places.towns), "places": places}


def with_fitting_lists(request: HttpRequest, typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed, without the parts of a place that are not in the lists below another; for who has no JavaScript."""
    fitting = dict(typed)
    for part, below in (("city", "cities"), ("district", "districts")):
        if fitting.get(part) not in getattr(places_below(request, fitting), below):
            fitting |= {part: "", "town": "", "postcode": ""}
    return fitting
