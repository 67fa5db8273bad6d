"""Asks a cooperative's system for its document, trusting nothing about the answer: not its size, speed or address."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.outside import AddressRefused, HostUnknown, pinned
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
    try:
        target = pinned(url=url, allow_private=allow_private)
    except AddressRefused as error:
        raise FeedForbidden(error.message) from error
    except HostUnknown as error:
        raise FeedUnavailable(error.message) from error
    headers = {**target.headers, "Accept-Encoding": "identity", "User-Agent": "xinyi-basket-stock/1"}
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
            client.stream("GET", target.url, headers=headers, extensions=target.extensions) as response,
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
