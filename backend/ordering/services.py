"""Placing an order, and ending the hold on one that nobody paid.

Order first, pay after: stock is allocated and the order created in one transaction, before any money moves.

Locks, always in this order: the checkout row; the rows of a voucher; then what backend.stock.allocation locks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, prefetch_related_objects
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from prices import TaxedMoney
from saleor.account.models import Address, User
from saleor.account.utils import store_user_address
from saleor.checkout import AddressType
from saleor.checkout.models import Checkout, CheckoutLine
from saleor.core.exceptions import InsufficientStock
from saleor.core.taxes import quantize_price, zero_taxed_money
from saleor.core.weight import zero_weight
from saleor.discount import DiscountInfo
from saleor.discount.models import NotApplicable
from saleor.discount.utils import fetch_active_discounts
from saleor.order import OrderStatus
from saleor.order.actions import cancel_order
from saleor.order.emails import send_order_confirmation, send_staff_order_confirmation
from saleor.order.events import order_created_event
from saleor.order.models import Order, OrderLine
from saleor.payment import PaymentError, gateway
from saleor.payment.models import Payment
from saleor.plugins.manager import PluginsManager, get_plugins_manager
from saleor.shipping.models import ShippingMethod
from saleor.warehouse.availability import get_available_quantity

from backend.ordering import address_book
from backend.ordering.errors import OrderRefused, ShortItem, ShortStock
from backend.ordering.models import CheckoutAttempt, Placement
from backend.ordering.reach import reaches
from backend.ordering.selectors import windows_of
from backend.ordering.vouchers import return_voucher, use_voucher
from backend.ordering.windows import Window
from backend.stock.allocation import allocate

# Saleor's annotations ask for a User; its events know an anonymous one, and not None.
NOBODY: Any = AnonymousUser()

OUT_OF_REACH = _("This delivery does not go to that place. Choose another, or a pick-up point.")


@dataclass(frozen=True)
class OrderRequest:
    """What a buyer asks for. The address is validated and not saved yet.

    expected_total: what the buyer saw, freight included; None when the client does not say.
    """

    checkout_token: UUID
    idempotency_key: str
    email: str
    address: Address
    shipping_method_pk: int
    payment_gateway: str
    note: str = ""
    accepts_fresh_rule: bool = False
    delivery_window: str = ""
    """The key of one of those offered; "" for the earliest."""
    gift_note: str = ""
    invoice_title: str = ""
    invoice_tax_number: str = ""
    expected_total: Decimal | None = None

    @property
    def sha256(self) -> str:
        """A digest of all that was asked, the key apart: tells a repeated request from a changed one."""
        content = {
            **{key: str(value) for key, value in asdict(self).items() if key != "idempotency_key"},
            "address": self.address.as_data(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def place_order(*, request: OrderRequest, user: User | None, now: datetime) -> Order:
    """Turn a basket into an order whose stock is allocated and which is not paid yet.

    The same key with the same request answers with the same order for ever, also when two such requests race.

    Raises OrderRefused, with the field to mend, or ShortStock, with every line that is short; either way nothing
    was written.
    """
    placed = _placed_before(request=request, user=user)
    if placed is not None:
        return placed
    try:
        with transaction.atomic():
            return _place(request=request, user=user, now=now)
    except InsufficientStock as error:
        raise short_stock(
            error=error,
            checkout_token=request.checkout_token,
            country_code=str(request.address.country),
        ) from error
    except NotApplicable as error:
        raise OrderRefused(str(error), code="voucher_not_applicable", field="voucher") from error


def expire_unpaid_orders(*, now: datetime, limit: int = 200) -> int:
    """Cancel orders whose time to pay has passed and release their stock. Returns how many were cancelled.

    Safe to run twice and side by side: each order is taken with its row locked, and one that was paid meanwhile
    is left alone.
    """
    due = list(
        Placement.objects.filter(pay_by__lt=now, expired_at__isnull=True)
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )
    return sum(_expire(placement_pk=pk, now=now) for pk in due)


@transaction.atomic
def _expire(*, placement_pk: int, now: datetime) -> bool:
    placement = (
        Placement.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(pk=placement_pk, expired_at__isnull=True)
        .first()
    )
    if placement is None:
        return False
    order = Order.objects.select_for_update(of=("self",)).get(pk=placement.order_id)
    if order.is_partly_paid() or order.status != OrderStatus.UNFULFILLED:
        return False
    placement.expired_at = now
    placement.save(update_fields=["expired_at"])
    cancel_order(order=order, user=NOBODY)
    return_voucher(order=order)
    return True


def _placed_before(*, request: OrderRequest, user: User | None) -> Order | None:
    placement = (
        Placement.objects.select_related("order").filter(idempotency_key=request.idempotency_key).first()
    )
    if placement is None:
        return None
    owner_pk = user.pk if user else None
    if placement.request_sha256 != request.sha256 or placement.order.user_id != owner_pk:
        raise OrderRefused(
            _("This order was placed already, with other details. Look it up among your orders."),
            code="already_placed_differently",
            field="idempotencyKey",
        )
    return placement.order


def _place(*, request: OrderRequest, user: User | None, now: datetime) -> Order:
    checkout = _lock_checkout(request=request, user=user)
    if checkout is None:
        # Its twin was quicker: it deleted the checkout that this request waited for.
        placed = _placed_before(request=request, user=user)
        if placed is not None:
            return placed
        raise OrderRefused(_("The basket is empty, or was ordered already."), code="basket_empty")
    lines = basket_lines(checkout)
    _check_basket(checkout=checkout, lines=lines, request=request)

    manager = get_plugins_manager()
    pays_on_collection = _pays_on_collection(manager=manager, gateway_id=request.payment_gateway)
    discounts = fetch_active_discounts()
    checkout.email = request.email
    checkout.shipping_address = request.address
    checkout.shipping_method = _shipping_method(
        request=request, checkout=checkout, lines=lines, discounts=discounts
    )

    window = _window(method=checkout.shipping_method, key=request.delivery_window, now=now)

    shipping_price = manager.calculate_checkout_shipping(checkout, lines, discounts)
    order_lines = [order_line(line=line, manager=manager, discounts=discounts) for line in lines]
    subtotal = sum((line.get_total() for line in order_lines), zero_taxed_money(checkout.currency))
    voucher = use_voucher(checkout=checkout, lines=lines, discounts=discounts, now=now)
    total = subtotal + shipping_price - checkout.discount
    total = max(total, zero_taxed_money(checkout.currency))
    if request.expected_total is not None and total.gross.amount != request.expected_total:
        raise OrderRefused(
            _("Prices have changed: the total is now ¥%(total)s. Look at the basket and order again.")
            % {"total": total.gross.amount},
            code="basket_changed",
            field="expectedTotal",
        )

    order = create_order(
        checkout=checkout,
        user=user,
        email=request.email,
        shipping_address=request.address,
        billing_address=request.address,
        note=request.note,
        lines=lines,
        order_lines=order_lines,
        total=total,
        shipping_price=shipping_price,
        voucher=voucher,
        now=now,
    )
    allocate(
        lines=order_lines,
        country_code=str(request.address.country),
        now=now,
    )
    Placement.objects.create(
        order=order,
        idempotency_key=request.idempotency_key,
        request_sha256=request.sha256,
        pays_on_collection=pays_on_collection,
        pay_by=None if pays_on_collection else now + timedelta(minutes=settings.ORDER_HOLD_MINUTES),
        accepted_fresh_rule=request.accepts_fresh_rule,
        delivery_on=window.day if window else None,
        delivery_from=window.starts if window else None,
        delivery_until=window.ends if window else None,
        gift_note=request.gift_note,
        invoice_title=request.invoice_title,
        invoice_tax_number=request.invoice_tax_number,
        placed_at=now,
    )
    if pays_on_collection:
        _promise_payment(order=order, request=request)
    remember_address(order)
    checkout.delete()
    order_created_event(order=order, user=user or NOBODY)
    manager.order_created(order)
    announce(order=order, user=user)
    return order


def _lock_checkout(*, request: OrderRequest, user: User | None) -> Checkout | None:
    asking = CheckoutAttempt.objects.filter(
        checkout_token=OuterRef("token"), state=CheckoutAttempt.State.ASKING
    )
    checkout = (
        Checkout.objects.select_for_update(of=("self",))
        .filter(token=request.checkout_token)
        .annotate(is_being_paid=Exists(asking))
        .first()
    )
    # Somebody else's basket is answered like one that does not exist.
    if (
        checkout is not None
        and checkout.user_id is not None
        and checkout.user_id != (user.pk if user else None)
    ):
        return None
    if checkout is not None and checkout.is_being_paid:
        raise OrderRefused(
            _("This basket is being paid at this moment. Try again in a minute."), code="basket_being_paid"
        )
    return checkout


def basket_lines(checkout: Checkout) -> list[CheckoutLine]:
    """The basket's lines; checkout.lines.all() costs no query afterwards, wherever Saleor asks for it."""
    lines = CheckoutLine.objects.select_related("variant__product__product_type").prefetch_related(
        "variant__translations",
        "variant__product__translations",
        "variant__product__collections",
    )
    prefetch_related_objects([checkout], Prefetch("lines", queryset=lines))
    return list(checkout.lines.all())


def _check_basket(*, checkout: Checkout, lines: Sequence[CheckoutLine], request: OrderRequest) -> None:
    if not lines:
        raise OrderRefused(_("The basket is empty, or was ordered already."), code="basket_empty")
    for line in lines:
        if not line.variant.product.is_visible:
            raise OrderRefused(
                _("%(name)s is no longer sold. Take it out and order again.")
                % {"name": line.variant.product},
                code="basket_changed",
            )
    if not request.accepts_fresh_rule:
        raise OrderRefused(
            _("Please confirm the return rule for fresh goods."),
            code="fresh_rule_not_accepted",
            field="acceptFreshRule",
        )
    if checkout.gift_cards.exists():
        raise OrderRefused(
            _("Gift cards cannot be used here. Take the card out and order again."),
            code="gift_card_unusable",
        )


def _pays_on_collection(*, manager: PluginsManager, gateway_id: str) -> bool:
    """Whether that gateway takes the money when the goods are handed over. Raises OrderRefused if unknown."""
    plugin = manager.get_plugin(gateway_id)
    offered = {plugin_id for plugin_id, _name in manager.list_payment_plugin_names(active_only=True)}
    if plugin is None or gateway_id not in offered:
        raise OrderRefused(
            _("This way of paying is not offered."),
            code="payment_unknown",
            field="paymentGateway",
        )
    return bool(getattr(plugin, "PAYS_ON_COLLECTION", False))


def _shipping_method(
    *,
    request: OrderRequest,
    checkout: Checkout,
    lines: Sequence[CheckoutLine],
    discounts: Sequence[DiscountInfo],
) -> ShippingMethod:
    subtotal = sum(
        (line.variant.get_price(discounts) * line.quantity for line in lines),
        zero_taxed_money(checkout.currency).gross,
    )
    weight = sum((line.variant.get_weight() * line.quantity for line in lines), zero_weight())
    method = (
        ShippingMethod.objects.applicable_shipping_methods(
            # As the basket was offered it: what a voucher takes off does not cost the buyer the free delivery.
            price=subtotal,
            weight=weight,
            country_code=str(request.address.country),
        )
        .filter(pk=request.shipping_method_pk)
        .select_related("delivery")
        .first()
    )
    if method is None:
        raise OrderRefused(
            _("This delivery is not offered for this basket. Choose another."),
            code="delivery_unavailable",
            field="shippingMethod",
        )
    if not is_in_reach(method=method, address=request.address):
        raise OrderRefused(OUT_OF_REACH, code="delivery_out_of_reach", field="shippingMethod")
    return method


def is_in_reach(*, method: ShippingMethod, address: Address) -> bool:
    """Whether a delivery goes to that address; Saleor's shipping knows countries only."""
    delivery = getattr(method, "delivery", None)
    return delivery is None or reaches(kind=delivery.kind, place=address, areas=settings.DELIVERY_AREAS)


def _window(*, method: ShippingMethod, key: str, now: datetime) -> Window | None:
    """The window that was chosen, or the earliest; None for a delivery that keeps no hours."""
    delivery = getattr(method, "delivery", None)
    windows = windows_of(delivery=delivery, now=now) if delivery else []
    if not key:
        return windows[0] if windows else None
    found = next((window for window in windows if window.key == key), None)
    if found is None:
        raise OrderRefused(
            _("That time can no longer be had. Choose another."),
            code="delivery_window_passed",
            field="deliveryWindow",
        )
    return found


def order_line(
    *, line: CheckoutLine, manager: PluginsManager, discounts: Sequence[DiscountInfo]
) -> OrderLine:
    variant, product = line.variant, line.variant.product
    line_total = manager.calculate_checkout_line_total(line, discounts)
    unit_price: TaxedMoney = quantize_price(line_total / line.quantity, line_total.currency)
    names = (str(product), str(variant))
    translated = (str(product.translated), str(variant.translated))
    return OrderLine(
        product_name=names[0],
        variant_name=names[1],
        translated_product_name=translated[0] if translated[0] != names[0] else "",
        translated_variant_name=translated[1] if translated[1] != names[1] else "",
        product_sku=variant.sku,
        is_shipping_required=variant.is_shipping_required(),
        quantity=line.quantity,
        variant=variant,
        currency=unit_price.currency,
        unit_price_net_amount=unit_price.net.amount,
        unit_price_gross_amount=unit_price.gross.amount,
        tax_rate=(unit_price.tax / unit_price.net).quantize(Decimal("0.01"))
        if unit_price.net.amount
        else Decimal(0),
    )


def create_order(
    *,
    checkout: Checkout,
    user: User | None,
    email: str,
    shipping_address: Address | None,
    billing_address: Address,
    note: str,
    lines: Sequence[CheckoutLine],
    order_lines: Sequence[OrderLine],
    total: TaxedMoney,
    shipping_price: TaxedMoney,
    voucher: dict[str, object],
    now: datetime,
    status: str = OrderStatus.UNFULFILLED,
) -> Order:
    """The order and its lines, saved, with nothing allocated and nothing paid yet.

    total: what the buyer pays, gift cards taken off. voucher: what `use_voucher` answered. status: DRAFT for one that
    nobody but its attempt to pay may know of yet.
    """
    # An order keeps copies of its own: a changed address book must not change where a box went.
    order = Order.objects.create(
        created=now,
        status=status,
        user=user,
        user_email=email,
        checkout_token=str(checkout.token),
        language_code=get_language() or settings.LANGUAGE_CODE,
        shipping_address=None if shipping_address is None else _copied(shipping_address),
        billing_address=_copied(billing_address),
        shipping_method=checkout.shipping_method,
        shipping_method_name=str(checkout.shipping_method) if checkout.shipping_method else None,
        shipping_price_net_amount=shipping_price.net.amount,
        shipping_price_gross_amount=shipping_price.gross.amount,
        total_net_amount=total.net.amount,
        total_gross_amount=total.gross.amount,
        currency=checkout.currency,
        weight=sum((line.variant.get_weight() * line.quantity for line in lines), zero_weight()),
        customer_note=note,
        metadata=checkout.metadata,
        private_metadata=checkout.private_metadata,
        **voucher,
    )
    for line in order_lines:
        line.order = order
    OrderLine.objects.bulk_create(order_lines)
    return order


def remember_address(order: Order) -> None:
    """Put the address of an order into its buyer's address book, unless it is there or the book is full."""
    buyer, address = order.user, order.shipping_address
    if buyer is not None and address is not None and address_book.wants(user=buyer, address=address):
        store_user_address(buyer, address, AddressType.SHIPPING)


def _copied(address: Address) -> Address:
    copy = Address(**address.as_data())
    copy.save()
    return copy


def _promise_payment(*, order: Order, request: OrderRequest) -> None:
    """Record that the buyer will pay when the goods are handed over: authorized, nothing captured."""
    address = request.address
    payment = Payment.objects.create(
        order=order,
        gateway=request.payment_gateway,
        token=str(order.token),
        total=order.total.gross.amount,
        currency=order.total.gross.currency,
        billing_email=request.email,
        billing_first_name=address.first_name,
        billing_last_name=address.last_name,
        billing_company_name=address.company_name,
        billing_address_1=address.street_address_1,
        billing_address_2=address.street_address_2,
        billing_city=address.city,
        billing_city_area=address.city_area,
        billing_postal_code=address.postal_code,
        billing_country_code=str(address.country),
        billing_country_area=address.country_area,
    )
    try:
        gateway.process_payment(payment=payment, token=str(order.token))
    except PaymentError as error:
        raise OrderRefused(str(error), code="payment_refused", field="paymentGateway") from error


def announce(*, order: Order, user: User | None, redirect_url: str = "") -> None:
    """Write to the buyer and to the shop, once the order stands. redirect_url: where the order is shown."""
    redirect_url = redirect_url or f"{settings.PUBLIC_URL}/orders/{order.token}/"
    # robust: the order stands even when the broker is away for a moment.
    transaction.on_commit(
        lambda: send_order_confirmation.delay(order.pk, redirect_url, user.pk if user else None),
        robust=True,
    )
    transaction.on_commit(lambda: send_staff_order_confirmation.delay(order.pk, redirect_url), robust=True)


def short_stock(*, error: InsufficientStock, checkout_token: UUID, country_code: str) -> ShortStock:
    """Say of every line, not only of the first, whether it is short."""
    context = error.context or {}
    if "short" in context:
        short = [(line.variant, line.quantity, left) for line, left in context["short"]]
    else:
        # A variant that no cooperative supplies: Saleor names the first only.
        lines = Checkout.objects.get(token=checkout_token).lines.select_related("variant__product")
        short = [
            (line.variant, line.quantity, left)
            for line in lines
            if line.variant.track_inventory
            and (left := get_available_quantity(line.variant, country_code)) < line.quantity
        ]
    return ShortStock(
        tuple(
            ShortItem(
                variant_pk=variant.pk,
                name=str(variant.product.translated),
                asked=asked,
                left=left,
            )
            for variant, asked, left in short
        )
    )
