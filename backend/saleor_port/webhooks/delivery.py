"""Posting what is due, at least once each: the receiver tells a repetition by its X-Saleor-Delivery.

A delivery is claimed before it is posted, by putting its next try some way off; so a worker that is killed loses
nothing, two workers never post the same attempt, and no row is locked while a stranger's server takes its time.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from saleor.site.models import Site
from saleor.webhook.event_types import WebhookEventType
from saleor.webhook.models import Webhook

from backend.common.outside import HTTP, AddressRefused, HostUnknown, pinned
from backend.saleor_port.models import WebhookDelivery
from backend.saleor_port.webhooks.payloads import payload_of

logger = structlog.get_logger(__name__)

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
CLAIM = timedelta(minutes=2)
"""Longer than a post may take: tasks.deliver_webhook is ended after less."""

WAITS_S = (60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 12 * 3600)
"""How long a delivery waits after its first, second, … attempt; after the one that follows the last, no more."""

KEPT = timedelta(days=30)

Status = WebhookDelivery.Status


def schemes() -> frozenset[str]:
    """How a webhook's address may begin: https only, where strangers' servers are posted to."""
    return HTTP if settings.WEBHOOKS_ALLOW_PRIVATE else frozenset({"https"})


def note_event(*, event: str, about: str) -> None:
    """Write down one delivery for each webhook that asked for the event and may see it.

    Inside the transaction of the event: what is rolled back was never to be posted.
    """
    now = timezone.now()
    deliveries = [
        WebhookDelivery(webhook_id=pk, event=event, about=about, next_try_at=now)
        for pk in _listening(event).values_list("pk", flat=True)
    ]
    if not deliveries:
        return
    WebhookDelivery.objects.bulk_create(deliveries)
    pks = [delivery.pk for delivery in deliveries]
    # Should the broker be away, beat finds them.
    transaction.on_commit(lambda: _queue(pks), robust=True)


def queue_due(*, now: datetime, limit: int = 200) -> int:
    """Hand what is due to the workers. Returns how many; one that is handed over twice is posted once."""
    pks = list(
        WebhookDelivery.objects.filter(next_try_at__lte=now)
        .order_by("next_try_at", "pk")
        .values_list("pk", flat=True)[:limit]
    )
    _queue(pks)
    return len(pks)


def forget(*, now: datetime) -> int:
    """Delete what is done and older than KEPT. Returns how many rows that were."""
    done = WebhookDelivery.objects.filter(next_try_at__isnull=True, created_at__lt=now - KEPT)
    return done.delete()[0]


def deliver(*, delivery_pk: int, now: datetime) -> bool:
    """Post it, unless it is not due, or somebody else does already. True when it arrived."""
    claimed = WebhookDelivery.objects.filter(pk=delivery_pk, next_try_at__lte=now).update(
        next_try_at=now + CLAIM, attempts=F("attempts") + 1, sent_at=now
    )
    if not claimed:
        return False
    delivery = WebhookDelivery.objects.select_related("webhook__app").get(pk=delivery_pk)
    if not _listening(delivery.event).filter(pk=delivery.webhook_id).exists():
        return _done(delivery, Status.GIVEN_UP, error="switched off, or no longer allowed")
    try:
        body = payload_of(event=delivery.event, about=delivery.about)
    except Exception:
        # A fault of ours that another try would not mend; the log names it, the table says where to look.
        logger.exception("webhook payload", event=delivery.event, about=delivery.about)
        return _done(delivery, Status.GIVEN_UP, error="its content could not be made")
    if body is None:
        return _done(delivery, Status.GIVEN_UP, error="what it is about is gone")
    return _post(delivery, body=body.encode())


def _listening(event: str) -> QuerySet[Webhook]:
    """The webhooks that asked for the event, whose app is active and has the permission that the event wants."""
    app_label, codename = WebhookEventType.PERMISSIONS[event].value.split(".")
    return Webhook.objects.filter(
        is_active=True,
        app__is_active=True,
        events__event_type__in=(event, WebhookEventType.ANY),
        app__permissions__content_type__app_label=app_label,
        app__permissions__codename=codename,
    ).distinct()


def _queue(pks: list[int]) -> None:
    from backend.saleor_port.tasks import deliver_webhook

    for pk in pks:
        deliver_webhook.delay(pk)


def _post(delivery: WebhookDelivery, *, body: bytes) -> bool:
    started = time.monotonic()
    try:
        answer = _ask(delivery, body=body)
    except AddressRefused as error:
        return _done(delivery, Status.GIVEN_UP, error=str(error))
    except HostUnknown as error:
        return _later(delivery, error=str(error), started=started)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _later(delivery, error=type(error).__name__, started=started)
    except SoftTimeLimitExceeded:
        return _later(delivery, error="took too long", started=started)
    delivery.http_status = answer
    if 200 <= answer < 300:
        return _done(delivery, Status.DELIVERED, started=started)
    if 300 <= answer < 400:
        return _done(delivery, Status.GIVEN_UP, error="redirected: not followed", started=started)
    return _later(delivery, error=f"answered {answer}", started=started)


def _ask(delivery: WebhookDelivery, *, body: bytes) -> int:
    """The status of the answer; nothing more of it is read."""
    target = pinned(
        url=delivery.webhook.target_url,
        allow_private=settings.WEBHOOKS_ALLOW_PRIVATE,
        schemes=schemes(),
    )
    headers = {**target.headers, **_headers(delivery, body=body)}
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    with (
        httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False) as client,
        client.stream(
            "POST", target.url, content=body, headers=headers, extensions=target.extensions
        ) as answer,
    ):
        return answer.status_code


def _headers(delivery: WebhookDelivery, *, body: bytes) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "xinyi-basket-webhooks/1",
        "X-Saleor-Event": delivery.event,
        "X-Saleor-Domain": Site.objects.get_current().domain,
        "X-Saleor-Delivery": str(delivery.key),
        "X-Saleor-Attempt": str(delivery.attempts),
    }
    secret = delivery.webhook.secret_key
    if secret:
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Saleor-Signature-SHA256"] = f"sha256={signature}"
        # Saleor's own, for receivers that know it: it says sha1, and is SHA-256.
        headers["X-Saleor-HMAC-SHA256"] = f"sha1={signature}"
    return headers


def _later(delivery: WebhookDelivery, *, error: str, started: float) -> bool:
    if delivery.attempts > len(WAITS_S):
        return _done(delivery, Status.GIVEN_UP, error=error, started=started)
    wait = WAITS_S[delivery.attempts - 1]
    # A receiver that was away is not met by all that waited for it at once.
    delivery.next_try_at = timezone.now() + timedelta(seconds=wait * random.uniform(0.8, 1.2))  # noqa: S311  (no secret)
    _save(delivery, error=error, started=started)
    return False


def _done(
    delivery: WebhookDelivery,
    status: WebhookDelivery.Status,
    *,
    error: str = "",
    started: float | None = None,
) -> bool:
    delivery.status, delivery.next_try_at = status, None
    _save(delivery, error=error, started=started)
    return status == Status.DELIVERED


def _save(delivery: WebhookDelivery, *, error: str, started: float | None) -> None:
    delivery.error = error[: WebhookDelivery._meta.get_field("error").max_length]
    if started is not None:
        delivery.duration_ms = round((time.monotonic() - started) * 1000)
    changes: dict[str, Any] = {
        name: getattr(delivery, name)
        for name in ("status", "next_try_at", "http_status", "error", "duration_ms")
    }
    # Only as long as the claim is this attempt's.
    WebhookDelivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts).update(**changes)
