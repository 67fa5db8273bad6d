"""Lines are put into a basket all at once: each variant is one line, and none is written where one is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Prefetch, prefetch_related_objects

from backend.saleor_port.availability import free_packs
from backend.saleor_port.registry import Replace, patch


@patch(
    name="lines_at_once",
    reason=(
        "checkoutCreate, checkoutLinesAdd and checkoutLinesUpdate ask the database ten times a line, keep the lines "
        "before one that is refused, and lose one of two changes at once; what is no longer sold cannot be taken out"
    ),
)
def lines_at_once() -> Iterator[Replace]:
    from saleor.checkout.error_codes import CheckoutErrorCode
    from saleor.checkout.models import Checkout
    from saleor.checkout.utils import recalculate_checkout_discount
    from saleor.core.exceptions import InsufficientStock, ProductNotPublished
    from saleor.graphql.checkout import mutations
    from saleor.graphql.checkout.types import Checkout as CheckoutType
    from saleor.graphql.product.types import ProductVariant as VariantType
    from saleor.product.models import ProductVariant

    plain_save = mutations.CheckoutCreate.save.__func__

    def check_lines_quantity(variants: Sequence[Any], quantities: Sequence[int], country: str) -> None:
        free = free_packs([variant.pk for variant in variants], country)
        for variant, quantity in zip(variants, quantities, strict=False):
            if quantity < 0:
                raise _of_quantity(
                    "The quantity should be higher than zero.", code=CheckoutErrorCode.ZERO_QUANTITY.value
                )
            if quantity > settings.MAX_CHECKOUT_LINE_QUANTITY:
                raise _of_quantity(
                    f"Cannot add more than {settings.MAX_CHECKOUT_LINE_QUANTITY} times this item.",
                    code=CheckoutErrorCode.QUANTITY_GREATER_THAN_LIMIT.value,
                )
            if _is_short(variant, quantity, free):
                raise _of_quantity(
                    f"Could not add item {variant.display_product()}. "
                    f"Only {free.get(variant.pk, 0)} remaining in stock.",
                    code=CheckoutErrorCode.INSUFFICIENT_STOCK.value,
                )

    def save(_cls: Any, info: Any, instance: Any, cleaned_input: dict[str, Any]) -> None:
        variants, quantities = cleaned_input.pop("variants", ()), cleaned_input.pop("quantities", ())
        with transaction.atomic():
            # The row alone: an address is kept where the lines need one.
            plain_save(mutations.CheckoutCreate, info, instance, {})
            try:
                _put(instance, variants, quantities, replace=False)
            except ProductNotPublished as error:
                raise ValidationError(
                    "Can't create checkout with unpublished product.", code=error.code.value
                ) from error
            mutations.CheckoutCreate.save_addresses(instance, cleaned_input)

    def perform_mutation(
        cls: Any,
        _root: Any,
        info: Any,
        checkout_id: str,
        lines: Sequence[dict[str, Any]],
        replace: bool = False,
    ) -> Any:
        with transaction.atomic():
            checkout = cls.get_node_or_error(
                info,
                checkout_id,
                field="checkout_id",
                only_type=CheckoutType,
                # Whoever changes the basket at the same time waits, and counts on what is there then.
                qs=Checkout.objects.select_for_update(of=("self",)),
            )
            variants = cls.get_nodes_or_error(
                [line["variant_id"] for line in lines],
                "variant_id",
                VariantType,
                qs=ProductVariant.objects.select_related("product__product_type"),
            )
            quantities = [line["quantity"] for line in lines]
            mutations.check_lines_quantity(variants, quantities, checkout.get_country())
            try:
                _put(checkout, variants, quantities, replace=replace)
            except InsufficientStock as error:
                raise ValidationError(
                    f"Insufficient product stock: {error.item}", code=error.code.value
                ) from error
            except ProductNotPublished as error:
                raise ValidationError("Can't add unpublished product.", code=error.code.value) from error
            kept = list(checkout)
            mutations.update_checkout_shipping_method_if_invalid(checkout, kept, info.context.discounts)
            recalculate_checkout_discount(checkout, kept, info.context.discounts)
        return mutations.CheckoutLinesAdd(checkout=checkout)

    yield Replace(mutations, "check_lines_quantity", check_lines_quantity)
    yield Replace(mutations.CheckoutCreate, "save", classmethod(save))
    yield Replace(mutations.CheckoutLinesAdd, "perform_mutation", classmethod(perform_mutation))


def _of_quantity(said: str, *, code: str) -> ValidationError:
    return ValidationError({"quantity": ValidationError(said, code=code)})


def _is_short(variant: Any, quantity: int, free: dict[int, int]) -> bool:
    """Whether there is less of it than that; taking out (0) asks nothing of the stock."""
    if quantity <= 0:
        return False
    return variant.pk not in free or (variant.track_inventory and quantity > free[variant.pk])


def _put(checkout: Any, variants: Sequence[Any], quantities: Sequence[int], *, replace: bool) -> None:
    """Write the lines, and leave them on the checkout as it is, with all that their prices and weights depend on.

    replace: the quantities stand in place of those that are there; 0 takes a line out.
    Raises Saleor's InsufficientStock or ProductNotPublished, with nothing written.
    """
    from saleor.checkout.models import CheckoutLine
    from saleor.checkout.utils import update_checkout_quantity
    from saleor.core.exceptions import InsufficientStock, ProductNotPublished

    there: dict[int, Any] = {}
    for each in CheckoutLine.objects.filter(checkout=checkout, variant__in=variants).order_by("-pk"):
        there[each.variant_id] = each
    free = free_packs([variant.pk for variant in variants], checkout.get_country()) if there else None
    new: list[Any] = []
    changed: list[Any] = []
    gone: list[int] = []
    for variant, quantity in zip(variants, quantities, strict=False):
        line: Any = there.get(variant.pk)
        wanted = quantity + (line.quantity if line is not None and not replace else 0)
        if wanted and not variant.product.is_visible:
            raise ProductNotPublished
        # What stands in the basket already comes on top of what was looked at.
        if free is not None and _is_short(variant, wanted, free):
            raise InsufficientStock(variant)
        if line is None:
            if wanted:
                new.append(CheckoutLine(checkout=checkout, variant=variant, quantity=wanted))
        elif wanted:
            line.quantity = wanted
            changed.append(line)
        else:
            gone.append(line.pk)
    if gone:
        CheckoutLine.objects.filter(pk__in=gone).delete()
    CheckoutLine.objects.bulk_create(new)
    CheckoutLine.objects.bulk_update(changed, ["quantity"])
    update_checkout_quantity(checkout)
    read_lines(checkout)


def read_lines(checkout: Any) -> list[Any]:
    """The basket's lines with all that their prices and weights depend on; they stay on the checkout."""
    from saleor.checkout.models import CheckoutLine

    lines = CheckoutLine.objects.select_related("variant__product__product_type")
    prefetch_related_objects(
        [checkout], Prefetch("lines", queryset=lines.prefetch_related("variant__product__collections"))
    )
    return list(checkout.lines.all())


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

    def check_lines_quantity(variants: Sequence[Any], quantities: Sequence[int], country: str) -> None:
        visible = [
            (variant, quantity)
            for variant, quantity in zip(variants, quantities, strict=False)
            if variant.product.is_visible
        ]
        # What is not visible is refused when it is put in, in words without its name.
        plain_check([each[0] for each in visible], [each[1] for each in visible], country)

    yield Replace(mutations, "check_lines_quantity", check_lines_quantity)
