"""Addresses that others wrote down and this shop is to ask: feeds of cooperatives, webhooks of apps.

Whoever may write one down must not reach this machine, its database or its neighbours by it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.errors import ShopError

HTTP = frozenset({"http", "https"})

_TRANSLATING = (
    # Each carries an IPv4 address that a gateway of the network would go on to.
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
    ipaddress.IPv6Network("2002::/16"),
)

_INSIDE = (
    # Looks public, and is the host of every machine in Azure, keys and all.
    ipaddress.IPv4Network("168.63.129.16/32"),
    # 6to4's relays: given up, and taken up by whoever likes.
    ipaddress.IPv4Network("192.88.99.0/24"),
)


class AddressRefused(ShopError):
    """The address cannot be read, or leads where this shop does not go."""

    code = "address_refused"


class HostUnknown(ShopError):
    """The name of the host cannot be looked up just now."""

    code = "host_unknown"
    permanent = False


@dataclass(frozen=True)
class Pinned:
    """What to hand to httpx: the address with its host looked up, the Host header, and the certificate's name."""

    url: httpx.URL
    headers: dict[str, str]
    extensions: dict[str, str]


def pinned(*, url: str, allow_private: bool, schemes: Collection[str] = HTTP) -> Pinned:
    """Look the host up once, so that what was checked is what is connected to: a second look-up could differ.

    Raises AddressRefused and HostUnknown.
    """
    scheme, host, port = _parts(url, schemes=schemes)
    try:
        found = socket.getaddrinfo(host, port or scheme, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HostUnknown(format_lazy(_("There is no host {host}."), host=host)) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise _not_public(host)
    shown = f"[{host}]" if ":" in host else host
    return Pinned(
        url=httpx.URL(url).copy_with(host=addresses[0]),
        headers={"Host": f"{shown}:{port}" if port else shown},
        extensions={"sni_hostname": host},
    )


def check_address(*, url: str, allow_private: bool, schemes: Collection[str] = HTTP) -> None:
    """Refuse what can be seen to be wrong without asking the network: the person who types it is told at once.

    A name that is looked up later may still lead inside; `pinned` sees that. Raises AddressRefused.
    """
    _scheme, host, _port = _parts(url, schemes=schemes)
    if allow_private:
        return
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        raise _not_public(host)
    try:
        # The forms that a resolver takes for an address, too: 127.1, 0x7f000001, 2130706433.
        address = str(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, UnicodeError):
        address = host
    try:
        public = is_public(address)
    except ValueError:
        return  # A name.
    if not public:
        raise _not_public(host)


def is_public(address: str) -> bool:
    """Whether that IP address is on the public internet. Raises ValueError where it is none."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _INSIDE)
    return not (ip.is_site_local or any(ip in network for network in _TRANSLATING))


def _parts(url: str, *, schemes: Collection[str]) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        scheme, port = parts.scheme, parts.port
        read = httpx.URL(url)
        # A name in other letters as it goes over the wire: xn--….
        host = read.raw_host.decode("ascii")
        # Two libraries that read an address differently are a way round the check.
        same = read.host == (parts.hostname or "")
    except (ValueError, httpx.InvalidURL) as error:
        raise AddressRefused(_("The address cannot be read.")) from error
    if not host or not same:
        raise AddressRefused(_("The address cannot be read."))
    if scheme not in schemes or parts.username is not None or parts.password is not None:
        raise AddressRefused(
            format_lazy(
                _("The address must begin with {schemes} and hold no user name."),
                schemes=" / ".join(f"{each}://" for each in sorted(schemes)),
            )
        )
    return scheme, host.rstrip("."), port


def _not_public(host: str) -> AddressRefused:
    return AddressRefused(format_lazy(_("{host} is not on the public internet."), host=host))
