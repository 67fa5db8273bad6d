"""Where a request comes from, when nobody but a configured proxy is believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest

from backend.saleor_port.registry import Replace, everywhere, patch

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(request: HttpRequest) -> str:
    """The address of the client, or '' where it is unknown (a Unix socket).

    X-Forwarded-For is read from its end, where the nearest proxy wrote, and only as far as the addresses in it are
    those of TRUSTED_PROXIES: what stands before that is anybody's invention.
    """
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while address is not None and hops and _is_trusted(address):
        before = _parsed(hops.pop())
        if before is None:
            break
        address = before
    return str(address) if address is not None else ""


def network_of(address: str) -> str:
    """What one visitor has: an address of IPv4, or the /64 of which a visitor of IPv6 may use any address."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def _parsed(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_trusted(address: _Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


@patch(
    name="client_address",
    reason="X-Forwarded-For is taken from anybody, first entry first: everybody chooses the address on record",
)
def forwarded_addresses() -> Iterator[Replace]:
    from saleor.core.utils import get_client_ip

    def believed_address(request: HttpRequest) -> str:
        # Saleor's middleware needs some address to guess a country by.
        return client_address(request) or "0.0.0.0"  # noqa: S104  (nothing listens there)

    yield from everywhere(get_client_ip, believed_address)
