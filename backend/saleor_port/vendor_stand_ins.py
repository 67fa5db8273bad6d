"""Stand-ins for vendors' packages that Saleor imports at the top of a module and that this shop never calls.

Each is as small as the import wants. A call into one is an error that says so, except looking up an address's
country, which answers "unknown" as the real database does for a private address.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NoReturn

from backend.saleor_port.registry import Phase, Replace, patch


def _module(name: str, **attributes: Any) -> ModuleType:
    module = ModuleType(
        name,
        "Stands in for a package that this shop does not use; see backend.saleor_port.",
    )
    for attribute, value in attributes.items():
        setattr(module, attribute, value)
    return module


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError(
        "This shop does not use that vendor's package; see backend.saleor_port.vendor_stand_ins"
    )


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
    yield Replace(
        sys.modules,
        "google_measurement_protocol",
        _module(
            "google_measurement_protocol",
            report=_refuse,
            pageview=_refuse,
            item=_refuse,
            transaction=_refuse,
        ),
    )


@patch(
    name="geolite2",
    reason="saleor.core.utils imports it to guess a visitor's country; every buyer here is in China",
    phase=Phase.BEFORE,
)
def geolite2() -> Iterator[Replace]:
    yield Replace(sys.modules, "geolite2", _module("geolite2", geolite2=_NoGeography()))


class _BaseProvider:
    """faker.providers.BaseProvider, to be subclassed only."""


class _LazyFaker:
    """faker.Faker()/Factory.create(): may be made at import, does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> _LazyFaker:
        return cls()

    def seed(self, *args: Any) -> None:
        return None

    def add_provider(self, provider: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return _refuse


@patch(
    name="faker",
    reason="saleor.core.utils.anonymization imports it for sample webhooks, random_data to fill a demo",
    phase=Phase.BEFORE,
)
def faker() -> Iterator[Replace]:
    providers = _module("faker.providers", BaseProvider=_BaseProvider)
    yield Replace(
        sys.modules,
        "faker",
        _module("faker", Faker=_LazyFaker, Factory=_LazyFaker, providers=providers),
    )
    yield Replace(sys.modules, "faker.providers", providers)
