"""The theme's way to the API: in process, over HTTP, and with a token that has run out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.backends.cache import SessionStore
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import Client, RequestFactory

from storefront_theme import client, visitor
from storefront_theme.client import ApiError, ApiRefused, ApiUnavailable
from tests import produce


@pytest.fixture
def request_of_li(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.session = SessionStore()
    request.LANGUAGE_CODE = "en"  # type: ignore[attr-defined] # as choose_language sets it
    return request


@dataclass
class FarApi:
    """An API at the other end of a wire."""

    url: str = ""
    status: int = 200
    body: bytes = b'{"data": {"dishes": []}}'
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]


@pytest.fixture
def far_api(settings: Any) -> Iterator[FarApi]:
    api = FarApi()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            api.headers.append(dict(self.headers))
            api.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(api.status)
            self.send_header("Content-Length", str(len(api.body)))
            self.end_headers()
            self.wfile.write(api.body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        api.url = settings.STOREFRONT_API_URL = f"http://127.0.0.1:{server.server_port}/graphql/"
        yield api
        server.shutdown()
        thread.join()


def test_over_http_the_document_goes_with_its_name_the_token_and_the_language(
    far_api: FarApi, request_of_li: HttpRequest
) -> None:
    visitor.remember(
        request_of_li, token="t0ken", person=visitor.Person(email="li@x.cn", name="", is_staff=False)
    )
    assert client.ask(request_of_li, "Dishes") == {"dishes": []}
    assert far_api.asked[0] == {
        "query": client.document("Dishes"),
        "operationName": "Dishes",
        "variables": {},
    }
    assert far_api.headers[0]["Authorization"] == "JWT t0ken"
    assert far_api.headers[0]["Accept-Language"] == "en"


def test_the_language_is_a_variable_where_a_document_asks_for_it(
    far_api: FarApi, request_of_li: HttpRequest
) -> None:
    client.ask(request_of_li, "ShopPage", slug="about")
    assert far_api.asked[0]["variables"] == {"slug": "about", "language": "EN"}


@pytest.mark.parametrize(
    "status, body", [(502, b"<html>bad gateway</html>"), (200, b"[]"), (200, b'{"data": null}')]
)
def test_an_answer_that_is_none_is_an_api_that_is_away(
    far_api: FarApi, request_of_li: HttpRequest, status: int, body: bytes
) -> None:
    far_api.status, far_api.body = status, body
    with pytest.raises(ApiUnavailable):
        client.ask(request_of_li, "Dishes")


def test_nobody_listening_is_an_api_that_is_away(settings: Any, request_of_li: HttpRequest) -> None:
    settings.STOREFRONT_API_URL = "http://127.0.0.1:9/graphql/"
    with pytest.raises(ApiUnavailable):
        client.ask(request_of_li, "Dishes")


@pytest.mark.parametrize("code, error", [("PermissionDenied", ApiRefused), ("INTERNAL_ERROR", ApiError)])
def test_errors_are_told_apart_by_their_code(
    far_api: FarApi, request_of_li: HttpRequest, code: str, error: type[Exception]
) -> None:
    far_api.body = json.dumps(
        {"data": None, "errors": [{"message": "no", "extensions": {"exception": {"code": code}}}]}
    ).encode()
    with pytest.raises(ApiError) as raised:
        client.ask(request_of_li, "Dishes")
    assert type(raised.value) is error


@pytest.mark.django_db
def test_an_api_that_is_away_is_a_503_and_a_closed_door_asks_who_is_there(
    far_api: FarApi, client: Client
) -> None:
    far_api.status, far_api.body = 502, b""
    assert client.get("/dishes/").status_code == 503
    far_api.status = 200
    far_api.body = (
        b'{"errors": [{"message": "no", "extensions": {"exception": {"code": "PermissionDenied"}}}]}'
    )
    answer = client.get("/dishes/")
    assert (answer.status_code, answer["Location"]) == (302, "/account/sign-in/?next=%2Fdishes%2F")


@pytest.mark.django_db
def test_a_visitor_stays_signed_in_for_two_weeks_and_is_then_asked_again(client: Client) -> None:
    produce.a_person(email="li@buyer.example")
    with time_machine.travel("2026-11-20T08:00:00+08:00") as clock:
        signed_in = client.post(
            "/account/sign-in/", {"email": "li@buyer.example", "password": "secret-of-the-test"}
        )
        assert signed_in.status_code == 302
        assert "li@buyer.example" in client.get("/account/").content.decode()
        clock.shift(13 * 24 * 3600)
        assert "li@buyer.example" in client.get("/account/").content.decode()
        clock.shift(2 * 24 * 3600)
        page = client.get("/account/")
        assert page.status_code == 302
        assert "/account/" in page["Location"]
        assert 'name="password"' in client.get("/account/").content.decode()


def test_a_list_of_files_goes_as_clients_of_saleor_send_it(
    far_api: FarApi, request_of_li: HttpRequest, rf: RequestFactory
) -> None:
    photos = [SimpleUploadedFile(f"{name}.jpg", name.encode()) for name in ("one", "two")]
    far_api.body = b'{"data": {"claimOpen": null}}'
    client.ask(request_of_li, "ClaimOpen", input={"packs": 1}, photos=photos)
    received = rf.post("/", far_api.bodies[0], content_type=far_api.headers[0]["Content-Type"])
    assert json.loads(received.POST["operations"]) == {
        "query": client.document("ClaimOpen"),
        "operationName": "ClaimOpen",
        "variables": {"input": {"packs": 1}, "photos": [None, None]},
    }
    assert json.loads(received.POST["map"]) == {
        "photos.0": ["variables.photos.0"],
        "photos.1": ["variables.photos.1"],
    }
    assert [received.FILES[f"photos.{number}"].read() for number in (0, 1)] == [b"one", b"two"]
