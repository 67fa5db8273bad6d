"""The prefix widget that saleor.account.widgets subclasses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.forms.widgets import MultiWidget

from backend.saleor_port.registry import Phase, Replace, patch


@patch(
    name="phone_widget",
    reason="django-phonenumber-field 8.0 dropped value_from_datadict of its prefix widget: a list came out",
    phase=Phase.AFTER,
)
def phone_widget() -> Iterator[Replace]:
    from phonenumber_field.widgets import PhoneNumberPrefixWidget

    def value_from_datadict(self: MultiWidget, data: Any, files: Any, name: str) -> str:
        prefix, number = MultiWidget.value_from_datadict(self, data, files, name)
        return f"{prefix}.{number}" if prefix and number else ""

    yield Replace(PhoneNumberPrefixWidget, "value_from_datadict", value_from_datadict)
