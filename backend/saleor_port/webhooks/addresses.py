"""Where to: a webhook's address is looked at when it is written down, and once more when it is posted to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from backend.common.outside import AddressRefused, check_address
from backend.saleor_port.registry import Replace, patch


@patch(
    name="webhook_addresses",
    reason=(
        "webhookCreate and webhookUpdate take any address, this machine's own ports among them; and an app may "
        "turn another app's webhook to itself, and read what it has no permission for"
    ),
)
def webhook_addresses() -> Iterator[Replace]:
    from saleor.graphql.webhook.mutations import WebhookCreate, WebhookUpdate

    for mutation in (WebhookCreate, WebhookUpdate):
        yield Replace(mutation, "clean_input", _with_checks(mutation.clean_input.__func__))


def _with_checks(plain: Any) -> Any:
    def clean_input(cls: Any, info: Any, instance: Any, data: Any, *arguments: Any) -> Any:
        asking = info.context.app
        cleaned = plain(cls, info, instance, data, *arguments)
        given = cleaned.get("app")
        owners = {instance.app_id, given.pk if given is not None else None} - {None}
        if asking is not None and owners != {asking.pk}:
            raise ValidationError(
                {"app": ValidationError("An app writes down its own webhooks.", code="invalid")}
            )
        if cleaned.get("target_url") is not None:
            _check(cleaned["target_url"])
        return cleaned

    return classmethod(clean_input)


def _check(url: str) -> None:
    from backend.saleor_port.webhooks.delivery import schemes

    try:
        check_address(url=url, allow_private=settings.WEBHOOKS_ALLOW_PRIVATE, schemes=schemes())
    except AddressRefused as error:
        raise ValidationError({"target_url": ValidationError(str(error), code="invalid")}) from error
