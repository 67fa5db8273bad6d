"""Stand-ins for vendors' packages that Saleor imports at the top of a module and that this shop never calls.

Each is as small as the import wants, and gives way to the real package where that is installed. A call into
one is an error that says so, except looking up an address's country, which answers "unknown" as the real
database does for a private address, and an invented person for sample webhooks.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from datetime import datetime, tzinfo
from types import ModuleType
from typing import Any, NoReturn

from backend.saleor_port.registry import Phase, Replace, patch

DOC = "Stands in for a package that this shop does not use; see backend.saleor_port."


def stand_in_module(name: str, **attributes: Any) -> ModuleType:
    """A module that is not there on disk."""
    module = ModuleType(name, DOC)
    for attribute, value in attributes.items():
        setattr(module, attribute, value)
    return module


def _stands_in_for(*modules: ModuleType) -> Iterator[Replace]:
    """The first is a package, the others lie in it."""
    if importlib.util.find_spec(modules[0].__name__) is None:
        for module in modules:
            yield Replace(sys.modules, module.__name__, module)


def refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """Whatever is asked of a package that is not there."""
    raise NotImplementedError(
        "This shop does not use that vendor's package; see backend.saleor_port.vendor_stand_ins"
    )


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


class _NoGeography:
    """geolite2.reader(): knows no address."""

    def reader(self) -> _NoGeography:
        return self

    def get(self, address: str) -> None:
        return None

    def close(self) -> None:
        return None


@patch(
    name="google_measurement_protocol",
    reason="saleor.core.analytics imports it; no page view or order is ever reported to Google from here",
    phase=Phase.BEFORE,
)
def google_measurement_protocol() -> Iterator[Replace]:
    # Saleor describes every paid order first, and asks afterwards whether anybody is to be told.
    describing = dict.fromkeys(("pageview", "item", "transaction"), _nothing)
    yield from _stands_in_for(stand_in_module("google_measurement_protocol", report=refuse, **describing))


@patch(
    name="geolite2",
    reason="saleor.core.utils imports it to guess a visitor's country; every buyer here is in China",
    phase=Phase.BEFORE,
)
def geolite2() -> Iterator[Replace]:
    yield from _stands_in_for(stand_in_module("geolite2", geolite2=_NoGeography()))


class _BaseProvider:
    """faker.providers.BaseProvider, to be subclassed only."""


class _SamplePerson:
    """faker.Faker(): one invented person, always the same, for the sample webhooks that staff may ask for."""

    @classmethod
    def create(cls) -> _SamplePerson:
        return cls()

    def add_provider(self, provider: object) -> None:
        return None

    def first_name(self) -> str:
        return "Sample"

    def last_name(self) -> str:
        return "Person"

    def street_address(self) -> str:
        return "1 Sample Street"

    def city(self) -> str:
        return "Mianyang"

    def state_abbr(self) -> str:
        return "SC"

    def postalcode(self) -> str:
        return "621000"

    def postalcode_in_state(self, state: str) -> str:
        return self.postalcode()

    def paragraph(self) -> str:
        return "A sample note."

    def pystruct(self, count: int = 1) -> dict[str, str]:
        return {"sample": "value"}

    def date_time(self, tzinfo: tzinfo | None = None) -> datetime:
        return datetime(2020, 1, 1, tzinfo=tzinfo)


@patch(
    name="faker",
    reason="saleor.core.utils.anonymization imports it for sample webhooks, random_data to fill a demo",
    phase=Phase.BEFORE,
)
def faker() -> Iterator[Replace]:
    providers = stand_in_module("faker.providers", BaseProvider=_BaseProvider)
    stand_in = stand_in_module("faker", Faker=_SamplePerson, Factory=_SamplePerson, providers=providers)
    yield from _stands_in_for(stand_in, providers)
