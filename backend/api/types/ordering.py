from __future__ import annotations

from datetime import datetime
from typing import Any

import graphene
from django.utils import timezone
from graphene_django import DjangoObjectType
from graphql import ResolveInfo
from prices import Money as Price
from saleor.graphql.core.types import Money
from saleor.graphql.order.types import OrderLine

from backend.api.types.catalogue import HarvestLot
from backend.api.types.cooperatives import Cooperative
from backend.api.types.texts import localised_text, required_list
from backend.ordering import models
from backend.ordering.cancellation import cancellable_until, harvest_starts
from backend.ordering.selectors import ClaimableLine as ClaimableFacts
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

    harvest_starts = graphene.DateTime(
        required=True, description="From then on what was ordered is harvested and packed."
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
    def resolve_harvest_starts(root: models.Placement, _info: ResolveInfo) -> datetime:
        return harvest_starts(placement=root)

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


class PackedLot(graphene.ObjectType):
    """How many packs of an order line came out of one harvest lot."""

    packs = graphene.Int(required=True)
    lot = graphene.Field(HarvestLot, required=True)


ClaimProblemEnum = graphene.Enum(
    "ClaimProblemEnum",
    [(each.name, each.value) for each in models.Claim.Problem],
    description=lambda value: "What is wrong with what arrived." if value is None else None,
)
ClaimStatusEnum = graphene.Enum(
    "ClaimStatusEnum",
    [(each.name, each.value) for each in models.Claim.Status],
    description=lambda value: "How far a claim is." if value is None else None,
)


class ClaimPhoto(graphene.ObjectType):
    """A photo of a claim. Its bytes: `claimPhoto`."""

    id = graphene.UUID(required=True)
    width = graphene.Int(required=True, description="Pixels.")
    height = graphene.Int(required=True, description="Pixels.")


class Claim(graphene.ObjectType):
    """A buyer's word that something arrived spoilt, short or wrong, and what came of it. For who may act for the buyer."""

    id = graphene.UUID(required=True)
    order_line = graphene.Field(OrderLine, required=True)
    packs = graphene.Int(required=True)
    problem = graphene.Field(ClaimProblemEnum, required=True)
    words = graphene.String(required=True)
    status = graphene.Field(ClaimStatusEnum, required=True)
    opened_at = graphene.DateTime(required=True)
    decided_at = graphene.DateTime()
    reason = graphene.String(required=True, description="What the shop says to it; may be empty.")
    amount = graphene.Field(Money, description="What is given back; null unless it is accepted.")
    is_paid_back = graphene.Boolean(
        required=True, description="Whether that has been given back; until then less is to be collected."
    )
    photos = required_list(
        ClaimPhoto, description="None once they were deleted, some months after the decision."
    )

    @staticmethod
    def resolve_amount(root: models.Claim, _info: ResolveInfo) -> Price | None:
        return None if root.amount is None else Price(root.amount, root.order_line.currency)

    @staticmethod
    def resolve_is_paid_back(root: models.Claim, _info: ResolveInfo) -> bool:
        return root.paid_at is not None

    @staticmethod
    def resolve_photos(root: models.Claim, _info: ResolveInfo) -> Any:
        return root.photos.all()


class ClaimableLine(graphene.ObjectType):
    """Goods that were handed over and that a claim can be opened about."""

    order_line = graphene.Field(OrderLine, required=True)
    packs = graphene.Int(required=True, description="At most so many.")
    until = graphene.DateTime(required=True, description="Then it is too late.")
    hours = graphene.Int(required=True, description="From the hand-over until then.")

    @staticmethod
    def resolve_order_line(root: ClaimableFacts, _info: ResolveInfo) -> Any:
        return root.line
