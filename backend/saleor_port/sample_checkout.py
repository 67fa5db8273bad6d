"""The sample of a checkout that staff may ask for when they set up a webhook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from backend.saleor_port.registry import Replace, everywhere, patch


class _Lines:
    """As much of a related manager as serialize_checkout_lines uses, over lines that are loaded already."""

    def __init__(self, lines: list[Any]) -> None:
        self.lines = lines

    def prefetch_related(self, *lookups: str) -> _Lines:
        return self

    def all(self) -> list[Any]:
        return self.lines


class _CheckoutWithLines:
    def __init__(self, lines: list[Any]) -> None:
        self.lines = _Lines(lines)


@patch(
    name="sample_checkout",
    reason="Django 4.0: a prefetched relation is filtered anew, here by an anonymized checkout's blank token",
)
def sample_checkout() -> Iterator[Replace]:
    from saleor.core.utils import anonymization
    from saleor.webhook import payloads, serializers  # noqa: F401  (payloads imported the names)

    plain_anonymize: Callable[[Any], Any] = anonymization.anonymize_checkout
    plain_serialize: Callable[[Any], list[dict[str, Any]]] = serializers.serialize_checkout_lines

    def anonymize_checkout(checkout: Any) -> Any:
        anonymized = plain_anonymize(checkout)
        anonymized.loaded_lines = list(checkout.lines.all())
        return anonymized

    def serialize_checkout_lines(checkout: Any) -> list[dict[str, Any]]:
        lines = getattr(checkout, "loaded_lines", None)
        return plain_serialize(checkout if lines is None else _CheckoutWithLines(lines))

    yield from everywhere(plain_anonymize, anonymize_checkout)
    yield from everywhere(plain_serialize, serialize_checkout_lines)
