"""Two lines of the same variant in one request are one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction

from backend.saleor_port.registry import Replace, patch


@patch(
    name="duplicate_lines",
    reason=(
        "checkoutCreate and checkoutLinesAdd load each variant once and pair them with quantities by position: "
        "2 of a, 3 of a and 4 of b become 2 of a and 3 of b"
    ),
)
def duplicate_lines() -> Iterator[Replace]:
    from saleor.graphql.checkout.mutations import CheckoutCreate, CheckoutLinesAdd

    plain_process = CheckoutCreate.process_checkout_lines.__func__
    plain_add = CheckoutLinesAdd.perform_mutation.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of CheckoutCreate
    def process_checkout_lines(cls: Any, lines: Sequence[dict[str, Any]], country: str) -> Any:
        return plain_process(cls, _merged(lines), country)

    @classmethod  # type: ignore[misc]  # it becomes a method of CheckoutLinesAdd
    def perform_mutation(
        cls: Any,
        root: Any,
        info: Any,
        checkout_id: str,
        lines: Sequence[dict[str, Any]],
        replace: bool = False,
    ) -> Any:
        return plain_add(cls, root, info, checkout_id, _merged(lines), replace)

    yield Replace(CheckoutCreate, "process_checkout_lines", process_checkout_lines)
    yield Replace(CheckoutLinesAdd, "perform_mutation", perform_mutation)


def _merged(lines: Sequence[dict[str, Any] | None]) -> list[dict[str, Any]]:
    quantities: dict[str, int] = {}
    for line in lines:
        if line is not None:
            variant = line["variant_id"]
            quantities[variant] = quantities.get(variant, 0) + line["quantity"]
    return [{"variant_id": variant, "quantity": quantity} for variant, quantity in quantities.items()]


@patch(
    name="hidden_lines",
    reason="a basket that asks for what is not published is told its name, in the words that it is short",
)
def hidden_lines() -> Iterator[Replace]:
    from saleor.graphql.checkout import mutations

    plain_check = mutations.check_lines_quantity
    plain_add = mutations.CheckoutLinesAdd.perform_mutation.__func__

    def check_lines_quantity(variants: Sequence[Any], quantities: Sequence[int], country: str) -> None:
        visible = [
            (variant, quantity)
            for variant, quantity in zip(variants, quantities, strict=False)
            if variant.product.is_visible
        ]
        # What is not visible is refused when it is put in, in words without its name.
        plain_check([each[0] for each in visible], [each[1] for each in visible], country)

    def perform_mutation(cls: Any, root: Any, info: Any, *given: Any, **data: Any) -> Any:
        # With a line that is refused, those before it stay out, too. checkoutLinesUpdate calls it by position.
        with transaction.atomic():
            return plain_add(cls, root, info, *given, **data)

    yield Replace(mutations, "check_lines_quantity", check_lines_quantity)
    yield Replace(mutations.CheckoutLinesAdd, "perform_mutation", classmethod(perform_mutation))
