"""What every answer tells a browser not to do, and pages that keep to it: over the demo shop's own answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from saleor.account.models import User
from saleor.product.models import Category, Product

from backend.config.permissions_policy import POLICY
from tests.fixtures.demo import demo_database  # noqa: F401, a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo_database")]

BY_PASSWORD = "backend.saleor_port.sign_in.PasswordBackend"

SHOP = [
    "/",
    "/c/",
    "/c/{category}/",
    "/p/{product}/",
    "/search/?q=葱",
    "/basket/",
    "/account/",
    "/account/sign-in/",
    "/account/register/",
    "/dishes/",
    "/styleguide/",
    "/no-such-page/",
]
TOWN = ["/brand/", "/villages/", "/wall/"]
DESK = ["/desk/", "/desk/sign-in/", "/desk/reports/", "/desk/orders/"]
ADMIN = ["/admin/login/", "/admin/", "/admin/product/product/"]
OTHER = ["/healthz", "/graphql/"]


def get(client: Client, url: str) -> Any:
    product = Product.objects.filter(is_published=True).first()
    category = Category.objects.filter(products=product).first()
    assert product is not None
    assert category is not None
    if url == "/graphql/":
        return client.post(url, {"query": "{ shop { name } }"}, content_type="application/json")
    return client.get(url.format(product=product.slug, category=category.slug))


@pytest.fixture
def anybody(client: Client) -> Client:
    """Somebody who may open every page: the administrator, who at the desk stands for all cooperatives."""
    client.force_login(User.objects.get(email="admin@xinyi.example"), backend=BY_PASSWORD)
    return client


@pytest.fixture(params=[*SHOP, *TOWN, *DESK, *ADMIN, *OTHER])
def answer(request: pytest.FixtureRequest, anybody: Client) -> Any:
    return get(anybody, request.param)


def directives(policy: str) -> dict[str, list[str]]:
    found = {}
    for part in policy.split(";"):
        name, *sources = part.split()
        found[name] = sources
    return found


def test_every_answer_has_every_policy(answer: Any) -> None:
    # 503 is /healthz, without a worker here.
    assert answer.status_code in (200, 302, 404, 503)
    policy = directives(answer.headers["Content-Security-Policy"])
    assert policy["default-src"] == ["'self'"]
    assert policy["object-src"] == ["'none'"]
    assert policy["base-uri"] == ["'self'"]
    assert policy["form-action"] == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    # Scripts and styles have no rule of their own that is laxer than default-src.
    assert set(policy) == {
        "default-src",
        "img-src",
        "object-src",
        "base-uri",
        "form-action",
        "frame-ancestors",
    }
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["Permissions-Policy"] == POLICY


def test_the_policy_leaves_the_camera_and_the_place_alone() -> None:
    assert {"camera=()", "microphone=()", "geolocation=()", "payment=()"} <= set(POLICY.split(", "))


class Inline(HTMLParser):
    """Collects what the policy would refuse: styles and scripts that stand in the page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        # What a search engine reads is data to a browser, and runs under no policy.
        data = given.get("type") == "application/ld+json"
        if tag == "style" or (tag == "script" and "src" not in given and not data):
            self.found.append(f"<{tag}> {given}")
        for name, value in given.items():
            if name == "style" or name.startswith("on") or value.strip().lower().startswith("javascript:"):
                self.found.append(f"<{tag} {name}={value!r}>")

    handle_startendtag = handle_starttag


@pytest.mark.parametrize(
    "page",
    [
        "<p style='color: red'>",
        "<style>p {}</style>",
        "<script>1</script>",
        "<svg><path style='a'/></svg>",
        "<a onclick='x'>",
        "<a href=' JavaScript:x'>",
    ],
)
def test_what_stands_inline_is_found(page: str) -> None:
    reader = Inline()
    reader.feed(page)
    assert len(reader.found) == 1


@pytest.mark.parametrize("url", [*SHOP, *TOWN, *DESK])
def test_no_page_of_the_theme_has_a_style_or_a_script_of_its_own(anybody: Client, url: str) -> None:
    page = get(anybody, url)
    if page.status_code == 302:
        page = anybody.get(page["Location"])
    reader = Inline()
    reader.feed(page.content.decode())
    assert "<html" in page.content.decode()
    assert reader.found == []


ASK_WITH_TLS = """
import json
import django
django.setup()
from django.conf import settings
from django.test import Client
client = Client(SERVER_NAME="xinyi.example")
plain = client.get("/desk/sign-in/")
page = client.get("/desk/sign-in/", secure=True)
print(json.dumps({
    "plain": [plain.status_code, plain.headers.get("Location")],
    "status": page.status_code,
    "hsts": page.headers.get("Strict-Transport-Security"),
    "cookies": {name: [bool(cookie["secure"]), cookie["samesite"]] for name, cookie in page.cookies.items()},
    "session": [settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE],
}))
"""


def ask_shop_at(public_url: str) -> dict[str, Any]:
    """The sign-in page of a shop that was started with this PUBLIC_URL."""
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK_WITH_TLS],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "backend.config.settings",
            "PUBLIC_URL": public_url,
            "ALLOWED_HOSTS": "xinyi.example",
            # Nobody ran collectstatic for this process.
            "DEBUG": "true",
        },
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    parsed: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return parsed


def test_over_https_every_cookie_is_secure_and_the_browser_stays_there() -> None:
    answer = ask_shop_at("https://xinyi.example")
    assert answer["plain"] == [301, "https://xinyi.example/desk/sign-in/"]
    assert answer["status"] == 200
    assert answer["hsts"] == "max-age=31536000; includeSubDomains; preload"
    assert answer["cookies"]["xinyi_csrf"] == [True, "Lax"]
    assert all(secure for secure, _same_site in answer["cookies"].values())
    assert answer["session"] == [True, True, "Lax"]


def test_over_http_nothing_pretends() -> None:
    answer = ask_shop_at("http://xinyi.example")
    assert answer["plain"][0] == 200
    assert answer["hsts"] is None
    assert answer["session"][0] is False
