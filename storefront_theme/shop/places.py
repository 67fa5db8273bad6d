"""The lists of an address form: provinces, the cities of the chosen one, its districts, their towns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from storefront_theme.client import ask


@dataclass(frozen=True)
class Places:
    """What there is to choose from below what is chosen. postcode: of the district, or else of the city."""

    provinces: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()
    postcode: str = ""


def places_below(request: HttpRequest, chosen: Mapping[str, Any]) -> Places:
    """chosen: province, city and district, as far as they are."""
    province, city, district = (str(chosen.get(part) or "") for part in ("province", "city", "district"))
    found = ask(request, "Divisions", province=province, city=city, district=district)["divisions"]
    postcodes = [each["postcode"] for each in found["districts"] if each["name"] == district]
    postcodes += [each["postcode"] for each in found["cities"] if each["name"] == city]
    return Places(
        provinces=_names(found["provinces"]),
        cities=_names(found["cities"]),
        districts=_names(found["districts"]),
        towns=_names(found["towns"]),
        postcode=next((postcode for postcode in postcodes if len(postcode) == 6), ""),
    )


def _names(divisions: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(each["name"] for each in divisions)


def with_town(typed: Mapping[str, Any], *, towns: tuple[str, ...]) -> dict[str, Any]:
    """The town out of the street that begins with it, where the address does not say it by itself."""
    street = str(typed.get("street") or "")
    town = next((each for each in towns if street.startswith(each)), "")
    if typed.get("town") or not town:
        return dict(typed)
    return {**typed, "town": town, "street": street.removeprefix(town).strip()}
