"""Asking cooperatives' systems that may be slow, large, broken or somewhere they should not be."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from backend.stock.errors import FeedForbidden, FeedUnavailable, FeedUnreadable
from backend.stock.ways_in import http
from backend.stock.ways_in.source import MOST_BYTES, Fetched, Source

Answer = Callable[[BaseHTTPRequestHandler], None]


def fetch(*, allow_private: bool = False, patience_s: float = 30, **known: str) -> Fetched:
    return http.fetch(Source(allow_private=allow_private, patience_s=patience_s, **known))  # type: ignore[arg-type]  # texts, all of them


class System:
    """A cooperative's system; `answer` is what it does with the next requests."""

    def __init__(self) -> None:
        self.answer: Answer = lambda request: say(request, 200, b"{}")
        self.asked: list[dict[str, str]] = []
        system = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                system.asked.append({"path": self.path, **dict(self.headers)})
                system.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/stock.json"


def say(request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def system() -> Iterator[System]:
    system = System()
    thread = threading.Thread(target=system.server.serve_forever, args=(0.02,))
    thread.start()
    yield system
    system.server.shutdown()
    thread.join()
    system.server.server_close()


def test_a_document_comes_with_its_etag_and_is_not_sent_again(system: System) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("If-None-Match") == '"7"':
            say(request, 304, b"")
        else:
            say(request, 200, b"{}", ETag='"7"')

    system.answer = answer
    first = fetch(url=system.url, allow_private=True)
    assert (first.body, first.etag) == (b"{}", '"7"')
    again = fetch(url=system.url, etag=first.etag, allow_private=True)
    assert (again.body, again.etag) == (None, '"7"')


def test_it_asks_by_the_hosts_name_and_takes_nothing_packed_but_gzip(system: System) -> None:
    fetch(url=system.url.replace("127.0.0.1", "localhost"), allow_private=True)
    (asked,) = system.asked
    assert asked["Host"] == f"localhost:{system.server.server_port}"
    assert asked["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("status", [204, 301, 304, 404, 500, 503])
def test_any_other_answer_is_tried_again_later(system: System, status: int) -> None:
    system.answer = lambda request: say(request, status, b"")
    with pytest.raises(FeedUnavailable) as failed:
        fetch(url=system.url, allow_private=True)
    assert str(status) in str(failed.value)
    assert not failed.value.permanent
    assert len(system.asked) == 1


def test_a_document_without_end_is_cut_short(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 100_000)

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"0" * 10_000)
        except OSError:
            pass

    system.answer = endless
    with pytest.raises(FeedUnreadable):
        fetch(url=system.url, allow_private=True)


def test_an_answer_that_breaks_off_is_no_document(system: System) -> None:
    def cut(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b'{"items": []}')

    system.answer = cut
    with pytest.raises(FeedUnavailable):
        fetch(url=system.url, allow_private=True)


def test_neither_silence_nor_a_trickle_holds_a_worker(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    ended = threading.Event()

    def trickle(request: BaseHTTPRequestHandler, before: bytes, drop: bytes) -> None:
        try:
            request.wfile.write(before)
            while not ended.wait(0.1):
                request.wfile.write(drop)
        except OSError:
            pass

    answers: list[Answer] = [
        lambda _: print(ended.wait(20)),
        lambda request: trickle(request, b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
        lambda request: trickle(request, b"HTTP/1.0 200 OK\r\n\r\n", b" "),
        lambda request: trickle(
            request, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"
        ),
        lambda request: trickle(request, b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        lambda request: trickle(request, b"", b"H"),
        lambda request: trickle(request, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ]
    for answer in answers:
        system.answer = answer
        with pytest.raises(FeedUnavailable) as late:
            fetch(url=system.url, allow_private=True, patience_s=0.7)
        assert str(late.value) == "合作社的系统没有及时回答。"
    ended.set()


def test_nobody_there_is_tried_again_later() -> None:
    with pytest.raises(FeedUnavailable):
        fetch(url="http://127.0.0.1:9/", allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/stock.json",
        "http://localhost/stock.json",
        "http://[::1]/stock.json",
        "http://10.1.2.3/",
        "http://192.168.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
    ],
)
def test_a_feed_never_leads_into_the_shops_own_network(url: str) -> None:
    with pytest.raises(FeedForbidden):
        fetch(url=url)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://a:b@127.0.0.1/", "http:///", "http://[/"]
)
def test_only_plain_web_addresses_are_asked(url: str) -> None:
    with pytest.raises(FeedForbidden):
        fetch(url=url, allow_private=True)


# ---- What is known from the last time -------------------------------------------------------------------------------


def test_a_server_without_etags_is_asked_by_the_time_of_the_last_change(system: System) -> None:
    written = "Mon, 23 Nov 2026 06:10:00 GMT"

    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("If-Modified-Since") == written:
            say(request, 304, b"")
        else:
            say(request, 200, b"{}", Last_Modified=written)

    system.answer = answer
    first = fetch(url=system.url, allow_private=True)
    assert (first.body, first.last_modified) == (b"{}", written)
    again = fetch(url=system.url, last_modified=first.last_modified, allow_private=True)
    assert (again.body, again.last_modified) == (None, written)


def test_an_answer_that_may_have_been_cut_is_not_taken_for_known(system: System) -> None:
    """Without a length nobody can tell; its ETag would say "unchanged" of a half for ever."""

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("ETag", '"7"')
        request.end_headers()
        request.wfile.write(b'{"items": [')

    system.answer = endless
    assert fetch(url=system.url, allow_private=True) == Fetched(body=b'{"items": [')


# ---- Redirects ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_on_the_same_host_is_followed(system: System, status: int) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/stock.json":
            say(request, status, b"", Location="/new/stock.json")
        else:
            say(request, 200, b"{}")

    system.answer = answer
    assert fetch(url=system.url, allow_private=True).body == b"{}"
    assert [asked["path"] for asked in system.asked] == ["/stock.json", "/new/stock.json"]


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/stock.json",
        "http://127.0.0.1:1/stock.json",
        "https://127.0.0.1/stock.json",
        "//evil.example/",
        "file:///etc/passwd",
        "http://a:b@evil.example/",
    ],
)
def test_a_redirect_to_another_host_is_not(system: System, to: str) -> None:
    system.answer = lambda request: say(request, 302, b"", Location=to)
    with pytest.raises(FeedForbidden):
        fetch(url=system.url, allow_private=True, credential="bearer", secret="s3cret-s3cret")
    assert len(system.asked) == 1


def test_a_redirect_without_end_is_left(system: System) -> None:
    system.answer = lambda request: say(request, 302, b"", Location="/stock.json")
    with pytest.raises(FeedUnavailable):
        fetch(url=system.url, allow_private=True)
    assert len(system.asked) == http.MOST_REDIRECTS + 1


# ---- Packed answers -------------------------------------------------------------------------------------------------


def packed(body: bytes, *, encoding: str = "gzip") -> Answer:
    return lambda request: say(request, 200, body, Content_Encoding=encoding, ETag='"1"')


def test_a_packed_answer_is_unpacked(system: System) -> None:
    body = b'{"items": []}' * 10_000
    system.answer = packed(gzip.compress(body))
    assert fetch(url=system.url, allow_private=True) == Fetched(body=body, etag='"1"')


def test_a_bomb_is_unpacked_to_the_limit_and_no_further(system: System) -> None:
    bomb = gzip.compress(b"0" * (200 * 1024 * 1024), compresslevel=1)
    assert len(bomb) < MOST_BYTES
    system.answer = packed(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(FeedUnreadable):
            fetch(url=system.url, allow_private=True)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * MOST_BYTES


@pytest.mark.parametrize(
    "answer",
    [
        packed(gzip.compress(b"{}" * 1000)[:-4]),
        packed(b"no gzip at all"),
        packed(gzip.compress(b"{}") + gzip.compress(b"{}")),
        packed(b"{}", encoding="br"),
        packed(b"{}", encoding="gzip, gzip"),
    ],
)
def test_what_is_packed_wrongly_is_no_document(system: System, answer: Answer) -> None:
    system.answer = answer
    with pytest.raises(FeedUnavailable):
        fetch(url=system.url, allow_private=True)


# ---- Credentials ----------------------------------------------------------------------------------------------------

SECRET = "白马-s3cret"


def test_a_password_is_sent_as_basic_authentication_says(system: System) -> None:
    fetch(url=system.url, allow_private=True, credential="basic", username="shop", secret=SECRET)
    scheme, _blank, pair = system.asked[0]["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair).decode()) == ("Basic", f"shop:{SECRET}")


def test_a_token_is_sent_as_bearer(system: System) -> None:
    fetch(url=system.url, allow_private=True, credential="bearer", secret="t0ken")
    assert system.asked[0]["Authorization"] == "Bearer t0ken"


def test_a_signature_covers_what_is_asked_and_when(system: System) -> None:
    url = f"{system.url}?day=today"
    fetch(url=url, allow_private=True, credential="hmac", username="7", secret=SECRET)
    (asked,) = system.asked
    assert asked["X-Key-Id"] == "7"
    assert abs(int(asked["X-Timestamp"]) - time.time()) < 60
    signed = f"GET\n/stock.json?day=today\n{asked['X-Timestamp']}".encode()
    assert asked["X-Signature"] == f"sha256={hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()}"
    assert "Authorization" not in asked


def test_no_password_travels_in_the_clear() -> None:
    with pytest.raises(FeedForbidden):
        fetch(url="http://192.0.2.1/stock.json", credential="basic", username="shop", secret=SECRET)


@pytest.mark.parametrize("token", ["two\r\nX-Other: 1", "白马"])
def test_a_token_cannot_bring_headers_of_its_own(system: System, token: str) -> None:
    with pytest.raises(FeedForbidden):
        fetch(url=system.url, allow_private=True, credential="bearer", secret=token)
    assert system.asked == []


def test_a_source_does_not_show_its_secret() -> None:
    assert SECRET not in repr(Source(url="https://a.example/", secret=SECRET))
