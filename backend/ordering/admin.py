"""Orders, to be looked at and cancelled, and the ways of delivery."""

from __future__ import annotations

from typing import cast

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from saleor.account.models import User
from saleor.order.actions import cancel_order
from saleor.order.models import Order, OrderLine
from saleor.shipping.models import ShippingMethod, ShippingMethodTranslation, ShippingZone

from backend.common.admin import (
    ReadOnlyAdmin,
    ReadOnlyTabularInline,
    SaleorPermissionAdmin,
    SaleorPermissionStackedInline,
    SaleorPermissionTabularInline,
    name_in_admin,
)
from backend.ordering.claim_admin import ORDERS, ClaimAdmin, PackedLotAdmin
from backend.ordering.models import DeliveryMethod, Placement

__all__ = ["ClaimAdmin", "PackedLotAdmin"]

SHIPPING = "shipping.manage_shipping"

name_in_admin(
    Order,
    name=_("order"),
    plural=_("orders"),
    fields={
        "created": _("placed at"),
        "status": _("status"),
        "user": _("person"),
        "user_email": _("e-mail"),
        "shipping_address": _("delivery address"),
        "shipping_method_name": _("delivery"),
        "shipping_price_gross_amount": _("freight, CNY"),
        "total_gross_amount": _("total, CNY"),
        "customer_note": _("note"),
    },
)
name_in_admin(
    OrderLine,
    name=_("order line"),
    plural=_("order lines"),
    fields={
        "product_name": _("product"),
        "variant_name": _("pack"),
        "product_sku": _("code"),
        "quantity": _("packs"),
        "quantity_fulfilled": _("packs handed over"),
        "unit_price_gross_amount": _("price, CNY"),
    },
)
name_in_admin(
    ShippingZone,
    name=_("shipping zone"),
    plural=_("shipping zones"),
    fields={"name": _("name"), "countries": _("countries"), "default": _("for all other countries")},
)
name_in_admin(
    ShippingMethod,
    name=_("shipping method"),
    plural=_("shipping methods"),
    fields={
        "name": _("name"),
        "type": _("offered by"),
        "shipping_zone": _("shipping zone"),
        "price_amount": _("freight, CNY"),
        "minimum_order_price_amount": _("for orders from, CNY"),
        "maximum_order_price_amount": _("for orders up to, CNY"),
    },
)
name_in_admin(
    ShippingMethodTranslation,
    name=_("translation"),
    plural=_("translations"),
    fields={"language_code": _("language"), "name": _("name")},
)


class OrderLineInline(ReadOnlyTabularInline):
    model = OrderLine
    permission = ORDERS
    fields = (
        "product_name",
        "variant_name",
        "product_sku",
        "quantity",
        "quantity_fulfilled",
        "unit_price_gross_amount",
    )


class PlacementInline(ReadOnlyTabularInline):
    model = Placement
    permission = ORDERS
    fields = ("placed_at", "pays_on_collection", "pay_by", "expired_at")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders change by what happens to them, not by typing: the one thing to do here is to cancel."""

    permission = ORDERS
    list_display = ("id", "created", "status", "shipping_method_name", "total_gross_amount", "customer")
    list_filter = ("status", "shipping_method", "created")
    search_fields = ("id", "user_email", "shipping_address__last_name", "shipping_address__phone")
    list_select_related = ("shipping_address",)
    date_hierarchy = "created"
    fields = (
        "created",
        "status",
        "user",
        "user_email",
        "shipping_address",
        "shipping_method_name",
        "shipping_price_gross_amount",
        "total_gross_amount",
        "customer_note",
    )
    inlines = (OrderLineInline, PlacementInline)
    actions = ("cancel",)

    @admin.display(description=_("person"))
    def customer(self, order: Order) -> str:
        address = order.shipping_address
        return f"{address.last_name}{address.first_name}" if address else order.user_email

    @admin.action(description=_("Cancel the selected orders and release their stock"))
    def cancel(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        """Cancel what can be cancelled, each in a transaction of its own, and say how many were left."""
        # The admin lets nobody else in.
        staff = cast(User, request.user)
        cancelled = left = 0
        for pk in orders.order_by("pk").values_list("pk", flat=True):
            with transaction.atomic():
                order = Order.objects.select_for_update(of=("self",)).get(pk=pk)
                # Cancelling does not give money back: a paid order is refunded first.
                if order.can_cancel() and not order.is_partly_paid():
                    cancel_order(order=order, user=staff)
                    cancelled += 1
                else:
                    left += 1
        if cancelled:
            done = ngettext("%(count)d order was cancelled.", "%(count)d orders were cancelled.", cancelled)
            self.message_user(request, done % {"count": cancelled}, messages.SUCCESS)
        if left:
            not_done = ngettext(
                "%(count)d order cannot be cancelled any more.",
                "%(count)d orders cannot be cancelled any more.",
                left,
            )
            self.message_user(request, not_done % {"count": left}, messages.WARNING)


class DeliveryMethodInline(SaleorPermissionStackedInline):
    model = DeliveryMethod
    permission = SHIPPING
    can_delete = False


class ShippingMethodTranslationInline(SaleorPermissionTabularInline):
    model = ShippingMethodTranslation
    permission = SHIPPING


@admin.register(ShippingMethod)
class ShippingMethodAdmin(SaleorPermissionAdmin):
    permission = SHIPPING
    list_display = (
        "name",
        "shipping_zone",
        "price_amount",
        "minimum_order_price_amount",
        "maximum_order_price_amount",
    )
    list_filter = ("shipping_zone", "delivery__kind")
    list_select_related = ("shipping_zone",)
    search_fields = ("name",)
    fields = (
        "name",
        "shipping_zone",
        "type",
        "price_amount",
        "minimum_order_price_amount",
        "maximum_order_price_amount",
    )
    inlines = (DeliveryMethodInline, ShippingMethodTranslationInline)


@admin.register(ShippingZone)
class ShippingZoneAdmin(SaleorPermissionAdmin):
    permission = SHIPPING
    list_display = ("name", "default")
    fields = ("name", "countries", "default")
