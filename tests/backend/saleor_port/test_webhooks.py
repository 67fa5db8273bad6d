"""Webhooks: this shop sends none, whatever is written into their table.

Saleor posts an order, with the buyer's name and address, to any URL that staff or an app wrote down: to this machine's
own ports and the town's network, too, and along redirects. The plugin that does so is not among settings.PLUGINS.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from graphene import Node
from saleor.app.models import App
from saleor.plugins.webhook import tasks
from saleor.webhook.models import Webhook

from backend.ordering.services import place_order
from tests import produce
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db

PLUGIN = "saleor.plugins.webhook.plugin.WebhookPlugin"

CREATE = """
mutation($app: ID!, $url: String!) {
  webhookCreate(input: {app: $app, name: "all", targetUrl: $url, isActive: true, events: [ANY_EVENTS]}) {
    webhook { id } webhookErrors { field message }
  }
}
"""


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """A server of this machine, as an attacker would name it: its address, and what was posted to it."""
    received: list[bytes] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", received
        server.shutdown()
        thread.join()


@pytest.fixture
def webhook(client: Client, listener: tuple[str, list[bytes]]) -> Webhook:
    """A member of staff who may writes one down for every event."""
    zhao = produce.a_person(email="zhao@town.example", is_staff=True)
    zhao.user_permissions.set(Permission.objects.filter(codename__in=["manage_webhooks", "manage_apps"]))
    app = App.objects.create(name="an app", is_active=True)
    app.permissions.set(Permission.objects.filter(codename="manage_orders"))

    def ask(query: str, token: str = "", **variables: Any) -> Any:
        return client.post(
            "/graphql/",
            json.dumps({"query": query, "variables": variables}),
            content_type="application/json",
            headers={"Authorization": f"JWT {token}"} if token else {},
        ).json()

    token = ask(
        'mutation { tokenCreate(email: "zhao@town.example", password: "secret-of-the-test") { token } }'
    )["data"]["tokenCreate"]["token"]
    answer = ask(CREATE, token, app=Node.to_global_id("App", app.pk), url=listener[0])
    assert answer["data"]["webhookCreate"]["webhookErrors"] == [], answer
    return Webhook.objects.get()


@pytest.fixture
def tasks_run_at_once() -> Iterator[None]:
    before = tasks.app.conf.task_always_eager
    tasks.app.conf.task_always_eager = True
    yield
    tasks.app.conf.task_always_eager = before


def order(django_capture_on_commit_callbacks: Callable[..., Any]) -> None:
    shed = produce.a_shed()
    with django_capture_on_commit_callbacks(execute=True):
        place_order(request=a_request(shed), user=None, now=timezone.now())


@pytest.mark.usefixtures("webhook", "tasks_run_at_once")
def test_saleors_plugin_posts_the_order_to_a_port_of_this_machine(
    settings: Any, listener: tuple[str, list[bytes]], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    settings.PLUGINS = [*settings.PLUGINS, PLUGIN]
    order(django_capture_on_commit_callbacks)
    assert any(b"li@buyer.example" in body for body in listener[1])


@pytest.mark.usefixtures("webhook", "tasks_run_at_once")
def test_an_order_is_posted_nowhere(
    listener: tuple[str, list[bytes]], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    order(django_capture_on_commit_callbacks)
    assert listener[1] == []


def test_the_shop_has_no_plugin_that_posts_anything() -> None:
    assert [name for name in django_settings.PLUGINS if "webhook" in name.lower()] == []
