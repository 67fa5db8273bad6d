"""Asks a cooperative's system for its document, trusting nothing about the answer: not its size, speed or address."""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.stock.errors import FeedForbidden, FeedUnavailable, FeedUnreadable

MOST_BYTES = 10 * 1024 * 1024
CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
WHOLE_SECONDS = 30.0
"""A server that sends a byte every nine seconds would never trip the read time-out."""


@dataclass(frozen=True)
class Fetched:
    """body: None when the document is the one that the ETag names."""

    body: bytes | None
    etag: str = ""


def fetch(*, url: str, etag: str = "", allow_private: bool = False) -> Fetched:
    """Get the document, unless it still has that ETag. No redirect is followed, no proxy is used.

    Raises FeedForbidden (the address), FeedUnavailable (no proper answer), FeedUnreadable (more than MOST_BYTES).
    """
    target, headers, extensions = _pinned(url=url, allow_private=allow_private)
    if etag:
        headers["If-None-Match"] = etag
    deadline = time.monotonic() + WHOLE_SECONDS
    try:
        with (
            httpx.Client(
                timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
                trust_env=False,
                follow_redirects=False,
            ) as client,
            client.stream("GET", target, headers=headers, extensions=extensions) as response,
        ):
            if response.status_code == httpx.codes.NOT_MODIFIED and etag:
                return Fetched(body=None, etag=etag)
            if response.status_code != httpx.codes.OK:
                raise FeedUnavailable(
                    format_lazy(_("The cooperative's system answered {status}."), status=response.status_code)
                )
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise FeedUnavailable(_("The cooperative's system packed its answer unasked."))
            body = _read(response, deadline=deadline)
            return Fetched(body=body, etag=_kept_etag(response.headers.get("ETag", "")))
    except httpx.TimeoutException as error:
        raise FeedUnavailable(_("The cooperative's system did not answer in time.")) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FeedUnavailable(_("The cooperative's system could not be reached, or broke off.")) from error


def _read(response: httpx.Response, *, deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise FeedUnreadable(
                format_lazy(_("The document is larger than {most} MB."), most=MOST_BYTES // (1024 * 1024))
            )
        if time.monotonic() > deadline:
            raise FeedUnavailable(_("The cooperative's system did not answer in time."))
    return bytes(body)


def _kept_etag(etag: str) -> str:
    # Longer than its column, it would not be the same when it comes back.
    return etag if len(etag) <= 200 and etag.isascii() else ""


def _pinned(*, url: str, allow_private: bool) -> tuple[httpx.URL, dict[str, str], dict[str, str]]:
    """The address with its host looked up once, so that what was checked is what is connected to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise FeedForbidden(_("The feed's address cannot be read.")) from error
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        raise FeedForbidden(_("The feed's address must be http:// or https://, without a user name."))
    try:
        found = socket.getaddrinfo(host, port or parts.scheme, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FeedUnavailable(format_lazy(_("There is no host {host}."), host=host)) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private:
        for address in addresses:
            if not ipaddress.ip_address(address.partition("%")[0]).is_global:
                raise FeedForbidden(format_lazy(_("{host} is not on the public internet."), host=host))
    target = httpx.URL(url).copy_with(host=addresses[0])
    shown = f"[{host}]" if ":" in host else host
    headers = {
        "Host": f"{shown}:{port}" if port else shown,
        "Accept-Encoding": "identity",
        "User-Agent": "xinyi-basket-stock/1",
    }
    # The certificate is the host's, not the address's.
    return target, headers, {"sni_hostname": host}
