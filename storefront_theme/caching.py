"""Pages that are the same for everybody, kept whole until what they show changes.

A page is kept for whoever has no session: nobody in particular. It depends on some subjects (stock, catalogue, brand);
a committed change of one of them makes the next visitor's page anew. Whoever has a session gets a page of their own,
which nobody keeps. What a kept page may not hold: a name, a count of a basket, a message, a token, a cookie.

In a browser every visit asks whether the page still holds (ETag, 304), since a page that is a minute old may promise
what was sold. Shared caches may keep it for a second, and show an older one while they fetch the new one.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import urlencode

from backend.api.executor import Subject, Versions, keep, versions_and

P = ParamSpec("P")

MESSAGES_COOKIE = "messages"

BROWSERS = "public, max-age=0, must-revalidate, s-maxage=1"
# RFC 9213: for content delivery networks alone, whose copy we cannot take back.
NETWORKS = "public, max-age=1, stale-while-revalidate=10, stale-if-error=600"
PRIVATE = "private, no-cache"

# What messengers and advertisers hang onto a link, which changes nothing on the page.
IDLE_PARAMETERS = {"from", "isappinstalled", "scene", "clicktime", "enterid", "gclid", "fbclid", "spm"}

# Written by the layers outside of this one, or true of one answer only.
_NOT_KEPT = {"content-length", "date", "server", "connection"}


@dataclass(frozen=True)
class Keeping:
    """How a view's page is kept. parameters: of the query; a page that is asked with others is not kept."""

    depends_on: tuple[Subject, ...]
    parameters: frozenset[str]


@dataclass(frozen=True)
class Kept:
    """A page as it lies in Redis. packed: gzip; versions and day: of what it was made of."""

    versions: Versions
    day: date
    headers: tuple[tuple[str, str], ...]
    etag: str
    packed: bytes


def kept_page(
    *depends_on: Subject, parameters: Iterable[str] = ()
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]], Callable[Concatenate[HttpRequest, P], HttpResponse]
]:
    """Say of a view that its page is the same for everybody without a session, and what it depends on."""
    keeping = Keeping(depends_on=depends_on, parameters=frozenset(parameters))

    def mark(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            return view(request, *args, **kwargs)

        marked.keeping = keeping  # type: ignore[attr-defined]  # read by PageCache
        return marked

    return mark


def canonical_query(query: QueryDict) -> str:
    """The parameters that matter, in one order: ?stock=in&sort=price and ?sort=price&stock=in&from=chat are one page."""
    return urlencode(
        [
            (name, value)
            for name in sorted(query)
            if not _is_idle(name)
            for value in query.getlist(name)
            if value
        ]
    )


def canonical_path(request: HttpRequest) -> str:
    """The page's own address, without what changes nothing."""
    query = canonical_query(request.GET)
    return f"{request.path}?{query}" if query else request.path


def _is_idle(name: str) -> bool:
    return name in IDLE_PARAMETERS or name.startswith("utm_")


class PageCache:
    """Stands before sessions, language and all that costs time: a kept page needs one look into Redis."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        keeping = _keeping_of(request)
        if keeping is None:
            return _private(self.get_response(request))
        key = _key(request)
        found = versions_and(key)
        if found is None:
            return _private(self.get_response(request))
        versions, kept = found
        versions = {subject: versions[subject] for subject in keeping.depends_on}
        today = timezone.localdate()
        if not isinstance(kept, Kept) or kept.versions != versions or kept.day != today:
            response = self.get_response(request)
            if not _may_be_kept(response):
                return _private(response)
            kept = _kept(response, versions=versions, day=today)
            if request.method == "GET":
                keep(key, kept, seconds=settings.PAGE_CACHE_SECONDS)
        return _answer(request, kept)


def _keeping_of(request: HttpRequest) -> Keeping | None:
    """How the page of this request is kept; None where it is somebody's own, or none that is kept at all."""
    if not settings.PAGE_CACHE_SECONDS or settings.STOREFRONT_API_URL:
        # Apart from the API, nobody here is told when its data change.
        return None
    if request.method not in {"GET", "HEAD"} or "Authorization" in request.headers:
        return None
    if settings.SESSION_COOKIE_NAME in request.COOKIES or MESSAGES_COOKIE in request.COOKIES:
        return None
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return None
    keeping: Keeping | None = getattr(view, "keeping", None)
    if keeping is None:
        return None
    # A host that is not ours is refused here as everywhere.
    request.get_host()
    known = all(name in keeping.parameters or _is_idle(name) for name in request.GET)
    return keeping if known else None


def _key(request: HttpRequest) -> str:
    language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    if language not in dict(settings.LANGUAGES):
        language = settings.LANGUAGE_CODE
    page = f"{_release()} {language} {request.path_info}?{canonical_query(request.GET)}"
    return f"page-{hashlib.blake2b(page.encode(), digest_size=18).hexdigest()}"


@cache
def _release() -> str:
    """Names this release of the theme: its pages point at style sheets and scripts that another one may not have."""
    digest = hashlib.blake2b(str(getattr(staticfiles_storage, "manifest_hash", "")).encode(), digest_size=8)
    here = Path(__file__).parent
    for path in sorted(
        each for each in here.rglob("*") if each.suffix in {".html", ".graphql", ".py", ".mo"}
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _may_be_kept(response: HttpResponse) -> bool:
    return (
        response.status_code == 200
        and not response.streaming
        and not response.cookies
        and "Cache-Control" not in response.headers
        and "Content-Encoding" not in response.headers
    )


def _kept(response: HttpResponse, *, versions: Versions, day: date) -> Kept:
    patch_vary_headers(response, ("Cookie", "Accept-Encoding"))
    etag = hashlib.blake2b(response.content, digest_size=12).hexdigest()
    return Kept(
        versions=versions,
        day=day,
        headers=tuple((name, value) for name, value in response.items() if name.lower() not in _NOT_KEPT),
        # Weak: the same page, whether packed on its way or not.
        etag=f'W/"{etag}"',
        packed=gzip.compress(response.content, compresslevel=6, mtime=0),
    )


def _answer(request: HttpRequest, kept: Kept) -> HttpResponse:
    packs = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(kept.packed if packs else gzip.decompress(kept.packed))
    for name, value in kept.headers:
        response.headers[name] = value
    if packs:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.content))
    response.headers["ETag"] = kept.etag
    response.headers["Cache-Control"] = BROWSERS
    response.headers["CDN-Cache-Control"] = NETWORKS
    conditional: Any = get_conditional_response(request, etag=kept.etag, response=response)
    return conditional


def _private(response: HttpResponse) -> HttpResponse:
    """A page that was made for one visitor is kept by nobody but that visitor's own browser."""
    if response.headers.get("Content-Type", "").startswith("text/html"):
        response.headers.setdefault("Cache-Control", PRIVATE)
    return response
