"""Webhooks: what happens in the shop reaches who asked for it, and nobody's own machine is reached by it.

The receiver is a process of its own. What Saleor does is shown with its own plugin in place of ours.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from graphene import Node
from saleor.account.models import User
from saleor.app.models import App
from saleor.order.models import Order
from saleor.plugins.manager import get_plugins_manager
from saleor.plugins.webhook import tasks as saleors_tasks
from saleor.webhook import payloads
from saleor.webhook.models import Webhook

from backend.common import outside
from backend.ordering.services import place_order
from backend.saleor_port import without
from backend.saleor_port.models import WebhookDelivery
from backend.saleor_port.tasks import deliver_webhook, forget_webhook_deliveries, queue_due_webhooks
from backend.saleor_port.webhooks import delivery as posting
from backend.saleor_port.webhooks.delivery import deliver
from tests import produce
from tests.backend.ordering.test_place_order import a_request
from tests.backend.saleor_port.small_shop import Ask, Shop, make_address

pytestmark = pytest.mark.django_db

RECEIVER = Path(__file__).with_name("webhook_receiver.py")
SALEORS_PLUGIN = "saleor.plugins.webhook.plugin.WebhookPlugin"
SECRET = "between the two of us"
Status = WebhookDelivery.Status


class Receiver:
    """An HTTP server in a process of its own; what it was sent is read from its output, line by line."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.address = f"http://127.0.0.1:{port}"

    def posted(self, many: int) -> list[dict[str, Any]]:
        """The next `many` requests; waits for them."""
        assert self._process.stdout is not None
        return [json.loads(self._process.stdout.readline()) for _ in range(many)]

    def posted_nothing_more(self) -> bool:
        """Whether nothing came before it is told to end."""
        rest, _errors = self._process.communicate("end\n", timeout=60)
        return rest == ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with subprocess.Popen(
        [sys.executable, str(RECEIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield Receiver(process, int(process.stdout.readline()))
        process.kill()


@pytest.fixture(autouse=True)
def loopback_may_be_asked(settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = True


def a_webhook(url: str, *events: str, permission: str = "manage_orders") -> Webhook:
    app = App.objects.create(name="the town's ledger", is_active=True)
    app.permissions.set(Permission.objects.filter(codename=permission))
    webhook = Webhook.objects.create(app=app, target_url=url, secret_key=SECRET, name="ledger")
    for event in events or ("any_events",):
        webhook.events.create(event_type=event)
    return webhook


def an_order() -> Order:
    return place_order(request=a_request(produce.a_shed()), user=None, now=timezone.now())


def deliver_all() -> list[bool]:
    return [
        deliver(delivery_pk=pk, now=timezone.now())
        for pk in WebhookDelivery.objects.order_by("pk").values_list("pk", flat=True)
    ]


# ---- What Saleor does ----


@pytest.fixture
def saleors_plugin(settings: Any) -> Iterator[None]:
    ours = "backend.saleor_port.webhooks.plugin.WebhookPlugin"
    settings.PLUGINS = [*(each for each in settings.PLUGINS if each != ours), SALEORS_PLUGIN]
    before = saleors_tasks.app.conf.task_always_eager
    saleors_tasks.app.conf.task_always_eager = True
    yield
    saleors_tasks.app.conf.task_always_eager = before


@pytest.mark.usefixtures("saleors_plugin")
def test_saleor_posts_the_order_to_a_port_of_this_machine_and_along_a_redirect(receiver: Receiver) -> None:
    a_webhook(f"{receiver.address}/redirect", "order_created")

    an_order()

    first, second = receiver.posted(2)
    assert "li@buyer.example" in first["body"]
    assert second["path"] == "/elsewhere"


@pytest.mark.usefixtures("saleors_plugin")
def test_saleor_calls_sha256_sha1_and_posts_before_the_order_is_certain(receiver: Receiver) -> None:
    a_webhook(f"{receiver.address}/ok", "order_created")

    with transaction.atomic():
        an_order()
        transaction.set_rollback(True)

    [posted] = receiver.posted(1)
    assert [name for name in posted["headers"] if "hmac" in name or "signature" in name] == [
        "x-saleor-hmac-sha256"
    ]
    assert posted["headers"]["x-saleor-hmac-sha256"].startswith("sha1=")
    assert not Order.objects.exists()


# ---- Where to ----

CREATE = """
mutation($app: ID, $url: String!) {
  webhookCreate(input: {app: $app, name: "all", targetUrl: $url, isActive: true, events: [ANY_EVENTS]}) {
    webhook { id } webhookErrors { field code message } } }
"""
UPDATE = """
mutation($id: ID!, $url: String!) {
  webhookUpdate(id: $id, input: {targetUrl: $url}) { webhookErrors { field code message } } }
"""
INSIDE = (
    "http://127.0.0.1:5432/",
    "https://localhost/",
    "https://169.254.169.254/latest/",
    "https://[::1]/",
    "https://10.0.0.7/",
)


@pytest.fixture
def zhao() -> User:
    """赵干事, who manages webhooks."""
    zhao = produce.a_person(email="zhao@town.example", is_staff=True)
    zhao.user_permissions.set(Permission.objects.filter(codename__in=["manage_webhooks", "manage_apps"]))
    return zhao


def write_down(ask: Ask, zhao: User, url: str) -> list[dict[str, str]]:
    app = Node.to_global_id("App", App.objects.create(name="an app", is_active=True).pk)
    answer = ask(CREATE, user=zhao, app=app, url=url)
    assert answer.errors is None, answer.errors
    errors: list[dict[str, str]] = answer.data["webhookCreate"]["webhookErrors"]
    return errors


@pytest.mark.parametrize("url", INSIDE)
def test_saleor_takes_any_address(ask: Ask, zhao: User, settings: Any, url: str) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    with without("webhook_addresses"):
        assert write_down(ask, zhao, url) == []


@pytest.mark.parametrize("url", [*INSIDE, "http://hooks.example.com/"])
def test_an_address_inside_or_without_tls_is_refused_when_it_is_written_down(
    ask: Ask, zhao: User, settings: Any, url: str
) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = False

    [error] = write_down(ask, zhao, url)

    assert (error["field"], error["code"]) == ("targetUrl", "INVALID")
    assert not Webhook.objects.exists()


def test_an_address_out_there_is_taken_and_cannot_be_turned_inside_later(
    ask: Ask, zhao: User, settings: Any
) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    assert write_down(ask, zhao, "https://hooks.example.com/saleor") == []
    webhook = Webhook.objects.get()

    answer = ask(UPDATE, user=zhao, id=Node.to_global_id("Webhook", webhook.pk), url=INSIDE[0])

    assert [each["field"] for each in answer.data["webhookUpdate"]["webhookErrors"]] == ["targetUrl"]
    webhook.refresh_from_db()
    assert webhook.target_url == "https://hooks.example.com/saleor"


def turn_to_oneself(asking: App, webhook: Webhook) -> Any:
    """webhookUpdate as an app sends it."""
    from types import SimpleNamespace

    from saleor.graphql.webhook.mutations import WebhookUpdate

    info = SimpleNamespace(context=SimpleNamespace(app=asking))
    return WebhookUpdate.clean_input(info, webhook, {"target_url": "https://spy.example.com/"})


def test_an_app_cannot_turn_the_webhook_of_another_to_itself() -> None:
    webhook = a_webhook("https://ledger.example.com/")
    other = App.objects.create(name="another", is_active=True)

    with without("webhook_addresses"):
        assert turn_to_oneself(other, webhook)
    with pytest.raises(ValidationError):
        turn_to_oneself(other, webhook)
    assert turn_to_oneself(webhook.app, webhook)


def test_an_address_that_has_come_to_lead_inside_is_not_posted_to(
    settings: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name was looked up when it was written down; whoever owns it may answer otherwise now."""
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    a_webhook("https://rebound.example.com/", "order_created")
    an_order()
    monkeypatch.setattr(outside.socket, "getaddrinfo", lambda *_a, **_k: [(0, 0, 0, "", ("127.0.0.1", 0))])

    assert deliver_all() == [False]
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.next_try_at) == (Status.GIVEN_UP, 1, None)
    assert "rebound.example.com" in delivery.error
    assert receiver.posted_nothing_more()


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    a_webhook(f"{receiver.address}/redirect", "order_created")

    an_order()
    assert deliver_all() == [False]

    assert [each["path"] for each in receiver.posted(1)] == ["/redirect"]
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.http_status) == (Status.GIVEN_UP, 302)
    assert receiver.posted_nothing_more()


# ---- What, and how it is signed ----


def test_an_order_arrives_signed_and_with_its_payments(receiver: Receiver) -> None:
    webhook = a_webhook(f"{receiver.address}/ok", "order_created")
    order = an_order()

    assert deliver_all() == [True]

    [posted] = receiver.posted(1)
    body, headers = posted["body"], posted["headers"]
    signature = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    assert headers["x-saleor-signature-sha256"] == f"sha256={signature}"
    assert headers["x-saleor-hmac-sha256"] == f"sha1={signature}"
    assert headers["x-saleor-event"] == "order_created"
    assert headers["content-type"] == "application/json"
    delivery = WebhookDelivery.objects.get()
    assert headers["x-saleor-delivery"] == str(delivery.key)
    [told] = json.loads(body)
    assert told["id"] == Node.to_global_id("Order", order.pk)
    [payment] = told["payments"]
    assert (payment["gateway"], payment["total"]) == ("pay_on_collection", str(order.total_gross_amount))
    assert (delivery.webhook, delivery.status, delivery.attempts) == (webhook, Status.DELIVERED, 1)
    assert (delivery.http_status, delivery.next_try_at, delivery.error) == (200, None, "")
    assert delivery.sent_at is not None
    assert delivery.duration_ms is not None


def test_saleor_forgets_the_commas_between_the_fields_of_a_payment(shop: Shop) -> None:
    order = shop.order(shop.good(1))
    order.payments.create(gateway="g", token="t", total=50, currency="CNY", billing_email="li@buyer.example")

    with without("webhook_payloads"):
        [payment] = json.loads(payloads.generate_order_payload(order))[0]["payments"]
    off = set(payment)

    [payment] = json.loads(payloads.generate_order_payload(order))[0]["payments"]
    assert off == set(payment)
    assert (payment["gateway"], payment["total"], payment["is_active"]) == ("g", "50.00", True)


def test_saleor_exchanges_a_customers_two_addresses() -> None:
    li = produce.a_person(email="li@buyer.example")
    li.default_shipping_address, li.default_billing_address = make_address("家"), make_address("厂")
    li.save()

    with without("webhook_payloads"):
        [told] = json.loads(payloads.generate_customer_payload(li))
    assert told["default_shipping_address"]["first_name"] == "厂"

    [told] = json.loads(payloads.generate_customer_payload(li))
    assert told["default_shipping_address"]["first_name"] == "家"
    assert told["default_billing_address"]["first_name"] == "厂"


def test_every_event_of_saleor_is_written_down_and_can_be_told(shop: Shop, receiver: Receiver) -> None:
    app = a_webhook(f"{receiver.address}/ok").app
    app.permissions.set(
        Permission.objects.filter(
            codename__in=["manage_orders", "manage_users", "manage_products", "manage_checkouts"]
        )
    )
    good = shop.good(1)
    order, basket, li = shop.order(good), shop.basket(good), produce.a_person(email="li@buyer.example")
    fulfillment = order.fulfillments.create(tracking_number="SF 1")
    manager = get_plugins_manager()

    manager.order_created(order)
    manager.order_fully_paid(order)
    manager.order_updated(order)
    manager.order_cancelled(order)
    manager.order_fulfilled(order)
    manager.fulfillment_created(fulfillment)
    manager.customer_created(li)
    manager.product_created(good.product)
    manager.checkout_quantity_changed(basket)

    assert deliver_all() == [True] * 9
    posted = receiver.posted(9)
    assert [each["headers"]["x-saleor-event"] for each in posted] == [
        "order_created",
        "order_fully_paid",
        "order_updated",
        "order_cancelled",
        "order_fulfilled",
        "fulfillment_created",
        "customer_created",
        "product_created",
        "checkout_quantity_changed",
    ]
    assert json.loads(posted[5]["body"])[0]["tracking_number"] == "SF 1"


# ---- To whom, and when ----


def test_nothing_is_written_down_for_who_may_not_see_it_or_did_not_ask() -> None:
    a_webhook("https://a.example.com/", "order_created", permission="manage_products")
    a_webhook("https://b.example.com/", "product_created")
    Webhook.objects.filter(pk=a_webhook("https://c.example.com/", "order_created").pk).update(is_active=False)

    an_order()

    assert not WebhookDelivery.objects.exists()


def test_an_order_that_is_not_made_after_all_is_told_to_nobody() -> None:
    a_webhook("https://ledger.example.com/", "order_created")

    with transaction.atomic():
        an_order()
        transaction.set_rollback(True)

    assert not WebhookDelivery.objects.exists()


def test_who_is_no_longer_allowed_gets_nothing_that_was_waiting(receiver: Receiver) -> None:
    webhook = a_webhook(f"{receiver.address}/ok", "order_created")
    an_order()
    webhook.app.permissions.clear()

    assert deliver_all() == [False]
    assert WebhookDelivery.objects.get().status == Status.GIVEN_UP
    assert receiver.posted_nothing_more()


def test_what_is_gone_is_not_told_of(shop: Shop) -> None:
    a_webhook("https://ledger.example.com/", "checkout_quantity_changed", permission="manage_checkouts")
    basket = shop.basket(shop.good(1))
    get_plugins_manager().checkout_quantity_changed(basket)
    basket.delete()

    assert deliver_all() == [False]
    assert WebhookDelivery.objects.get().error == "what it is about is gone"


# ---- Again, and no longer ----


def test_what_fails_is_tried_again_later_each_time_and_then_given_up(receiver: Receiver) -> None:
    a_webhook(f"{receiver.address}/broken", "order_created")
    an_order()
    pk = WebhookDelivery.objects.get().pk
    now, waits = timezone.now(), []

    for attempt in range(1, 8):
        assert deliver(delivery_pk=pk, now=now) is False
        delivery = WebhookDelivery.objects.get()
        assert (delivery.attempts, delivery.http_status, delivery.error) == (attempt, 500, "answered 500")
        if delivery.next_try_at is not None:
            # A little earlier it is not due yet.
            assert deliver(delivery_pk=pk, now=timezone.now()) is False
            waits.append((delivery.next_try_at - timezone.now()).total_seconds())
            now = delivery.next_try_at

    assert delivery.status == Status.GIVEN_UP
    assert len(receiver.posted(7)) == 7
    assert receiver.posted_nothing_more()
    assert all(
        0.75 * told < waited < 1.25 * told for told, waited in zip(posting.WAITS_S, waits, strict=True)
    )


def test_a_receiver_that_is_away_is_tried_again(receiver: Receiver) -> None:
    a_webhook(f"{receiver.address}/ok", "order_created")
    assert receiver.posted_nothing_more()
    an_order()

    assert deliver_all() == [False]

    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.error) == (Status.WAITING, "ConnectError")
    assert delivery.next_try_at is not None


def test_a_worker_that_was_killed_in_between_leaves_the_delivery_to_another(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_webhook(f"{receiver.address}/ok", "order_created")
    an_order()
    pk, now = WebhookDelivery.objects.get().pk, timezone.now()

    class Killed(BaseException):
        pass

    def die(*_args: Any, **_kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(posting, "_ask", die)
        with pytest.raises(Killed):
            deliver(delivery_pk=pk, now=now)

    assert deliver(delivery_pk=pk, now=now + timedelta(seconds=30)) is False, "somebody is at it"
    assert deliver(delivery_pk=pk, now=now + posting.CLAIM) is True
    assert receiver.posted(1)[0]["headers"]["x-saleor-attempt"] == "2"


def test_beat_finds_what_is_due_and_forgets_what_is_old(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_webhook(f"{receiver.address}/ok", "order_created")
    an_order()
    queued: list[int] = []
    monkeypatch.setattr(deliver_webhook, "delay", queued.append)

    queue_due_webhooks()
    assert queued == [WebhookDelivery.objects.get().pk]
    deliver_webhook(queued[0])
    queue_due_webhooks()
    assert len(queued) == 1

    forget_webhook_deliveries()
    assert WebhookDelivery.objects.count() == 1
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    forget_webhook_deliveries()
    assert not WebhookDelivery.objects.exists()


def test_what_was_written_down_goes_to_the_workers_once_it_is_certain(
    django_capture_on_commit_callbacks: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_webhook("https://ledger.example.com/", "order_created")
    queued: list[int] = []
    monkeypatch.setattr(deliver_webhook, "delay", queued.append)

    with django_capture_on_commit_callbacks(execute=True):
        an_order()
        assert queued == []

    assert queued == [WebhookDelivery.objects.get().pk]


def test_the_log_holds_nothing_of_whom_it_is_about() -> None:
    held = {field.name for field in WebhookDelivery._meta.get_fields()}
    assert held == {
        "id",
        "key",
        "webhook",
        "event",
        "about",
        "status",
        "attempts",
        "created_at",
        "next_try_at",
        "sent_at",
        "duration_ms",
        "http_status",
        "error",
    }
