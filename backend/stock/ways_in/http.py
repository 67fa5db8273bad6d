"""Asks a cooperative's system for its document, trusting nothing about the answer: not its size, speed or address.

Credentials, by the feed's setting: Basic and Bearer as RFC 7617 and RFC 6750 have them. HMAC: three headers,

    X-Key-Id: <user name>    X-Timestamp: <seconds since 1970>    X-Signature: sha256=<hex>

where the signature is HMAC-SHA256 of "GET\\n<path and query>\\n<timestamp>" under the secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.outside import AddressRefused, HostUnknown, pinned
from backend.stock.errors import FeedForbidden, FeedUnavailable, FeedUnreadable
from backend.stock.ways_in.source import MOST_BYTES, Fetched, Seen, Source

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
"""Between two words. A server that says one every nine seconds is cut off when the source's patience is at its end."""

MOST_REDIRECTS = 3

_REDIRECTS = (301, 302, 303, 307, 308)


@contextmanager
def visit(source: Source) -> Iterator[HttpVisit]:
    yield HttpVisit(source)


@dataclass(frozen=True)
class HttpVisit:
    """One document, which needs no putting away."""

    source: Source

    def documents(self) -> Iterator[Fetched]:
        yield fetch(self.source)

    def settle(self, document: Fetched, *, refusal: str) -> None:
        pass

    @property
    def seen(self) -> Seen:
        return {}


def fetch(source: Source) -> Fetched:
    """Get the document, unless it is still the one that is known. No proxy is used; redirects stay on the host.

    Raises FeedForbidden (the address), FeedUnavailable (no proper answer), FeedUnreadable (more than MOST_BYTES).
    """
    patience = _Patience(source.patience_s)
    url = source.url
    try:
        with (
            patience,
            httpx.Client(
                timeout=httpx.Timeout(min(READ_SECONDS, source.patience_s), connect=CONNECT_SECONDS),
                trust_env=False,
                follow_redirects=False,
            ) as client,
        ):
            for _hop in range(MOST_REDIRECTS + 1):
                answer = _ask(client, url=url, source=source, patience=patience)
                if isinstance(answer, Fetched):
                    return answer
                url = _redirected(url=url, to=answer)
    except httpx.TimeoutException as error:
        raise _too_late() from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if patience.is_over:
            raise _too_late() from error
        raise FeedUnavailable(_("The cooperative's system could not be reached, or broke off.")) from error
    raise FeedUnavailable(_("The cooperative's system sends on and on, from address to address."))


class _Patience:
    """Cuts the connection when the time is up, wherever in the answer that is.

    Time-outs begin anew with every byte, and nobody looks at the clock while a header arrives letter by letter.
    """

    def __init__(self, seconds: float) -> None:
        self._connections: list[socket.socket] = []
        self._alarm = threading.Timer(seconds, self._cut)
        self._alarm.daemon = True
        self.is_over = False

    def __enter__(self) -> _Patience:
        self._alarm.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._alarm.cancel()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """For httpcore, which tells of every connection that it opens."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._connections.append(info["return_value"].get_extra_info("socket"))
            if self.is_over:
                self._cut()

    def _cut(self) -> None:
        self.is_over = True
        for connection in self._connections:
            with suppress(OSError):
                # Of the plain socket: one that speaks TLS would want to say good-bye.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _too_late() -> FeedUnavailable:
    return FeedUnavailable(_("The cooperative's system did not answer in time."))


def _ask(client: httpx.Client, *, url: str, source: Source, patience: _Patience) -> Fetched | str:
    """The document, or the address that the answer sends on to."""
    try:
        target = pinned(url=url, allow_private=source.allow_private)
    except AddressRefused as error:
        raise FeedForbidden(error.message) from error
    except HostUnknown as error:
        raise FeedUnavailable(error.message) from error
    headers = {
        **target.headers,
        "Accept-Encoding": "gzip",
        "User-Agent": "xinyi-basket-stock/1",
        **_credentials(source, url=url, now=time.time()),
    }
    if source.etag:
        headers["If-None-Match"] = source.etag
    if source.last_modified:
        headers["If-Modified-Since"] = source.last_modified
    extensions = {**target.extensions, "trace": patience.trace}
    with client.stream("GET", target.url, headers=headers, extensions=extensions) as response:
        status = response.status_code
        if status == httpx.codes.NOT_MODIFIED and (source.etag or source.last_modified):
            return Fetched(body=None, etag=source.etag, last_modified=source.last_modified)
        if status in _REDIRECTS and response.headers.get("Location"):
            return str(response.headers["Location"])
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise FeedUnavailable(
                format_lazy(
                    _("The cooperative's system answered {status}: look at the feed's password."),
                    status=status,
                )
            )
        if status != httpx.codes.OK:
            raise FeedUnavailable(
                format_lazy(_("The cooperative's system answered {status}."), status=status)
            )
        body = _read(response)
        if patience.is_over:
            # What is cut off may look like an end.
            raise _too_late()
        if "Content-Length" not in response.headers and "Transfer-Encoding" not in response.headers:
            # Whether the answer was cut cannot be told: so it must not be taken for known the next time.
            return Fetched(body=body)
        return Fetched(
            body=body,
            etag=_kept(response.headers.get("ETag", ""), most=200),
            last_modified=_kept(response.headers.get("Last-Modified", ""), most=60),
        )


def _credentials(source: Source, *, url: str, now: float) -> dict[str, str]:
    if source.credential == "none" or not source.secret:
        return {}
    if not url.startswith("https://") and not source.allow_private:
        raise FeedForbidden(_("A password is sent over https:// only."))
    if source.credential == "basic":
        pair = base64.b64encode(f"{source.username}:{source.secret}".encode()).decode("ascii")
        return {"Authorization": f"Basic {pair}"}
    if source.credential == "bearer":
        if not source.secret.isascii() or not source.secret.isprintable():
            raise FeedForbidden(_("The feed's token holds characters that no token has."))
        return {"Authorization": f"Bearer {source.secret}"}
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    timestamp = str(int(now))
    signature = hmac.new(source.secret.encode(), f"GET\n{path}\n{timestamp}".encode(), hashlib.sha256)
    return {
        "X-Key-Id": source.username,
        "X-Timestamp": timestamp,
        "X-Signature": f"sha256={signature.hexdigest()}",
    }


def _redirected(*, url: str, to: str) -> str:
    """The address that a redirect names, on the same host. Raises FeedForbidden for any other."""
    try:
        target = urljoin(url, to)
        here, there = urlsplit(url), urlsplit(target)
        same = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
        # From http:// to https:// is the one change that is for the better.
        safer = (
            (here.scheme, there.scheme) == ("http", "https")
            and here.hostname == there.hostname
            and here.port in (None, 80)
            and there.port in (None, 443)
        )
    except ValueError as error:
        raise FeedUnavailable(_("The cooperative's system sends on to what is no address.")) from error
    if not (same or safer):
        raise FeedForbidden(
            format_lazy(
                _(
                    "The cooperative's system sends on to another host ({host}): enter that address, if it is right."
                ),
                host=(there.hostname or to)[:100],
            )
        )
    return target


def _read(response: httpx.Response) -> bytes:
    """The body, unpacked, and never more of it than MOST_BYTES."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise FeedUnavailable(
            _("The cooperative's system packed its answer in a way that was not asked for.")
        )
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if "gzip" in encoding else None
    body = bytearray()
    taken = 0
    for chunk in response.iter_raw():
        taken += len(chunk)
        if unpacking is None:
            body += chunk
        else:
            try:
                body += unpacking.decompress(chunk, MOST_BYTES + 1 - len(body))
            except zlib.error as error:
                raise FeedUnavailable(_("The cooperative's system packed its answer wrongly.")) from error
        if len(body) > MOST_BYTES or taken > MOST_BYTES:
            raise FeedUnreadable(
                format_lazy(_("The document is larger than {most} MB."), most=MOST_BYTES // (1024 * 1024))
            )
    if unpacking is not None and unpacking.unused_data:
        raise FeedUnavailable(_("The cooperative's system packed its answer wrongly."))
    if unpacking is not None and not unpacking.eof:
        raise FeedUnavailable(_("The cooperative's system could not be reached, or broke off."))
    return bytes(body)


def _kept(value: str, *, most: int) -> str:
    # Longer than its column, it would not be the same when it comes back.
    return value if len(value) <= most and value.isascii() else ""
