"""What the proxy before the shop does with pages, files, uploads, and its log."""

import gzip
import re
import time
import urllib.request
from collections.abc import Iterator
from email.message import Message

import pytest

from tests.proxy import NGINX, NO_NGINX, start_proxy
from tests.shop import Shop


@pytest.fixture(scope="module")
def proxy(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The proxy's address."""
    if NGINX is None:
        pytest.skip(NO_NGINX)
    with start_proxy(shop=shop, directory=tmp_path_factory.mktemp("nginx")) as address:
        yield address


def ask(url: str, **headers: str) -> tuple[int, Message, bytes]:
    request = urllib.request.Request(
        url, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.status, answer.headers, answer.read()


def test_a_page_comes_through_compressed(proxy: str) -> None:
    status, headers, body = ask(f"{proxy}/", Accept_Encoding="gzip")
    assert status == 200
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"]
    assert "信义菜篮" in gzip.decompress(body).decode()


def test_the_whole_shop_is_well_through_the_proxy(proxy: str) -> None:
    status, headers, _ = ask(f"{proxy}/healthz")
    assert status == 200
    assert headers["Content-Type"] == "application/json"


def test_static_files_live_for_a_year_and_arrive_compressed(proxy: str) -> None:
    page = ask(f"{proxy}/")[2].decode()
    path = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)
    assert path is not None, "the page links a style sheet by its hashed name"
    _, headers, body = ask(f"{proxy}{path[1]}", Accept_Encoding="gzip")
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Encoding"] == "gzip"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert len(gzip.decompress(body)) > len(body)
    assert headers["Content-Type"].startswith("text/css")


def test_a_static_file_without_a_hash_is_asked_for_again_within_the_hour(proxy: str, shop: Shop) -> None:
    plain = next(
        path
        for path in (shop.directory / "static").rglob("*.css")
        if not re.search(r"\.[0-9a-f]{12}\.", path.name)
    )
    _, headers, _ = ask(f"{proxy}/static/{plain.relative_to(shop.directory / 'static')}")
    assert headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize(
    "name, kind",
    [
        ("page.html", "application/octet-stream"),
        ("drawing.svg", "application/octet-stream"),
        ("photo.jpg", "image/jpeg"),
    ],
)
def test_an_upload_is_a_picture_or_a_download_and_runs_nothing(
    proxy: str, shop: Shop, name: str, kind: str
) -> None:
    upload = shop.directory / "media" / name
    upload.parent.mkdir(parents=True, exist_ok=True)
    upload.write_text("<script>alert(1)</script>")
    try:
        _, headers, _ = ask(f"{proxy}/media/{name}")
    finally:
        upload.unlink()
    assert headers["Content-Type"] == kind
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_body_that_is_too_large_is_refused_before_it_reaches_the_shop(proxy: str) -> None:
    request = urllib.request.Request(f"{proxy}/graphql/", data=b"x" * (13 * 1024 * 1024), method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code == 413


def test_an_orders_token_stays_out_of_the_log(proxy: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(urllib.error.HTTPError):
        ask(f"{proxy}/orders/0123-secret-token/")
    log = next(iter(tmp_path_factory.getbasetemp().glob("nginx*/access.log")))
    deadline = time.monotonic() + 30
    while "/orders/..." not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    assert "secret-token" not in log.read_text()
