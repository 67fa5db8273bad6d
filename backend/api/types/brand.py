from __future__ import annotations

import graphene
from graphene_django import DjangoObjectType
from saleor.graphql.core.types import Money

from backend.api.types.cooperatives import Cooperative, Village
from backend.api.types.texts import localised_text, required_list
from backend.brand import models


class Campaign(DjangoObjectType):
    title = localised_text("title")
    body = localised_text("body")

    class Meta:
        model = models.Campaign
        description = "A story that the town tells of its brand."
        fields = ("slug", "picture")


class BoardDay(graphene.ObjectType):
    day = graphene.Date(required=True)
    orders = graphene.Int(required=True)
    sales = graphene.Field(Money, required=True)
    kilograms = graphene.Float(required=True)


class BoardVillage(graphene.ObjectType):
    village = graphene.Field(Village, required=True)
    kilograms = graphene.Float(required=True)
    sales = graphene.Field(Money, required=True)


class BoardGood(graphene.ObjectType):
    name = graphene.String(required=True)
    kilograms = graphene.Float(required=True)


class BoardCount(graphene.ObjectType):
    cooperative = graphene.Field(Cooperative, required=True)
    good = graphene.String(required=True)
    counted_at = graphene.DateTime(required=True)


class Board(graphene.ObjectType):
    """The figures of the town's wall board, counted when asked for. No personal data."""

    as_of = graphene.DateTime(required=True)
    orders_today = graphene.Int(required=True)
    kilograms_today = graphene.Float(required=True)
    sales_today = graphene.Field(Money, required=True)
    goods_in_stock = graphene.Int(required=True)
    cooperatives_counted = graphene.Int(required=True, description="How many have counted today.")
    cooperatives_total = graphene.Int(required=True)
    seven_days = required_list(BoardDay, description="Today last.")
    by_village = required_list(BoardVillage, description="The last 30 days.")
    top_goods = required_list(BoardGood, description="The last 7 days, six at most.")
    latest_counts = required_list(BoardCount)
    is_demo = graphene.Boolean(required=True)
