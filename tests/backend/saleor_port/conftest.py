"""Fixtures of the small shop. Imports stand inside: pytest reads this before Django's settings are chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.backend.saleor_port.small_shop import GatewayOfTests, Shop


@pytest.fixture(autouse=True)
def plain_stock_keeper() -> Iterator[None]:
    """Saleor's own rules, corrected; the stock room's ledger has its own tests."""
    from backend.saleor_port.warehouse import PlainStockKeeper, set_stock_keeper

    before = set_stock_keeper(PlainStockKeeper())
    yield
    set_stock_keeper(before)


@pytest.fixture
def gateway(settings: Any) -> Iterator[type[GatewayOfTests]]:
    """A gateway that takes the money at once."""
    from tests.backend.saleor_port.small_shop import GatewayOfTests

    settings.PLUGINS = [f"{GatewayOfTests.__module__}.{GatewayOfTests.__name__}"]
    yield GatewayOfTests
    GatewayOfTests.before_answer = staticmethod(lambda: None)
    GatewayOfTests.kind = "capture"
    GatewayOfTests.needs_confirmation = False


@pytest.fixture
def shop(db: None) -> Shop:
    """The small shop, in the test's own transaction."""
    from tests.backend.saleor_port.small_shop import make_shop

    return make_shop()


@pytest.fixture
def committed_shop(transactional_db: None) -> Shop:
    """The same, visible to other connections."""
    from tests.backend.saleor_port.small_shop import make_shop

    return make_shop()


@pytest.fixture
def ask() -> Callable[..., Any]:
    """Run a document of Saleor's as somebody (nobody by default) and answer graphene's result."""
    from tests.backend.saleor_port.small_shop import ask

    return ask
