"""Who may write metadata of orders and checkouts."""

from __future__ import annotations

from collections.abc import Iterator

from backend.saleor_port.registry import Replace, patch


@patch(
    name="metadata_permissions",
    reason="anybody may write an order's public metadata and gets the whole order; ids are 1, 2, 3 (#9324)",
)
def metadata_permissions() -> Iterator[Replace]:
    from saleor.graphql.meta import permissions

    # The mutations hold this very dict, so its entries are replaced, not the dict.
    allowed = permissions.PUBLIC_META_PERMISSION_MAP
    yield Replace(allowed, "Order", permissions.order_permissions)
    yield Replace(allowed, "Checkout", permissions.checkout_permissions)
