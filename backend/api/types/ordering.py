from __future__ import annotations

from datetime import datetime

import graphene
from django.utils import timezone
from graphene_django import DjangoObjectType
from graphql import ResolveInfo
from saleor.graphql.core.types import Money

from backend.api.types.cooperatives import Cooperative
from backend.api.types.texts import localised_text, required_list
from backend.ordering import models
from backend.ordering.cancellation import cancellable_until
from backend.ordering.selectors import windows_of
from backend.ordering.windows import Window

DeliveryKindEnum = graphene.Enum(
    "DeliveryKindEnum", [(each.name, each.value) for each in models.DeliveryMethod.Kind]
)


class DeliveryWindow(graphene.ObjectType):
    """A day, from one hour to another on the shop's clock."""

    id = graphene.ID(required=True, description="To be given to orderPlace.")
    day = graphene.Date(required=True)
    starts = graphene.Time(required=True)
    ends = graphene.Time(required=True)

    @staticmethod
    def resolve_id(root: Window, _info: ResolveInfo) -> str:
        return root.key


class DeliveryMethod(DjangoObjectType):
    kind = graphene.Field(DeliveryKindEnum, required=True)
    summary = localised_text("summary")
    windows = required_list(DeliveryWindow, description="When it can still be had, the earliest first.")

    class Meta:
        model = models.DeliveryMethod
        description = "How a shipping method brings the goods, or where they are collected."
        fields = ("pick_up_address",)

    @staticmethod
    def resolve_windows(root: models.DeliveryMethod, _info: ResolveInfo) -> list[Window]:
        return windows_of(delivery=root, now=timezone.now())


class ReadAddress(graphene.ObjectType):
    """What was understood of an address that somebody pasted; "" for what was not."""

    name = graphene.String(required=True)
    phone = graphene.String(required=True, description="Eleven digits.")
    province = graphene.String(required=True)
    city = graphene.String(required=True)
    district = graphene.String(required=True)
    street = graphene.String(required=True)
    postcode = graphene.String(required=True)


class Division(graphene.ObjectType):
    """A part of the country, in an address."""

    name = graphene.String(required=True)
    postcode = graphene.String(required=True, description="Of its seat; empty where it is not known.")


class Divisions(graphene.ObjectType):
    """What there is to choose from in an address form; empty below what is not known."""

    provinces = required_list(Division)
    cities = required_list(Division)
    districts = required_list(Division)
    towns = required_list(Division, description="Of Mianyang's districts.")


class BasketVoucher(graphene.ObjectType):
    """The voucher of a checkout, as it is at this moment."""

    code = graphene.String(required=True)
    name = graphene.String(required=True)
    discount = graphene.Field(Money, required=True, description="What it takes off now.")
    problem = graphene.String(
        required=True, description="Why it takes nothing off, for the buyer; empty where it does."
    )


class Placement(DjangoObjectType):
    cancellable_until = graphene.DateTime(
        description="Until when the buyer may cancel; null once it cannot be cancelled here."
    )

    class Meta:
        model = models.Placement
        description = "How an order was placed, and until when it may be paid."
        fields = (
            "pays_on_collection",
            "pay_by",
            "placed_at",
            "expired_at",
            "delivery_on",
            "delivery_from",
            "delivery_until",
            "gift_note",
            "invoice_title",
            "invoice_tax_number",
        )

    @staticmethod
    def resolve_cancellable_until(root: models.Placement, _info: ResolveInfo) -> datetime | None:
        until = cancellable_until(placement=root)
        return until if until and until > timezone.now() else None


class PackLine(graphene.ObjectType):
    name = graphene.String(required=True)
    pack = graphene.String(required=True)
    quantity = graphene.Int(required=True)
    sku = graphene.String(required=True)


class PackOrder(graphene.ObjectType):
    """An order, as far as it concerns one cooperative. Names and phones are masked."""

    number = graphene.String(required=True)
    placed_at = graphene.DateTime(required=True)
    delivery_name = graphene.String(required=True)
    delivery_kind = graphene.Field(DeliveryKindEnum)
    pick_up_address = graphene.String()
    customer = graphene.String(required=True)
    phone_masked = graphene.String(required=True)
    note = graphene.String(required=True)
    delivery_on = graphene.Date()
    delivery_from = graphene.Time()
    delivery_until = graphene.Time()
    gift_note = graphene.String(required=True)
    is_paid = graphene.Boolean(required=True)
    total = graphene.Field(Money, required=True)
    lines = required_list(PackLine)


class PackGood(graphene.ObjectType):
    name = graphene.String(required=True)
    pack = graphene.String(required=True)
    quantity = graphene.Int(required=True)


class PackList(graphene.ObjectType):
    """What a cooperative has to pack. For its members and the shop's staff."""

    cooperative = graphene.Field(Cooperative, required=True)
    orders = required_list(PackOrder)
    goods = required_list(PackGood)
