"""Addresses between the API and the forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from storefront_theme.client import ask
from storefront_theme.shop.forms import CITY, DISTRICT, PROVINCE
from storefront_theme.shop.places import places_below, with_town

PLACE = ("province", "city", "district", "street", "postcode")


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
