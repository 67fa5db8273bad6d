from __future__ import annotations

from collections.abc import Mapping

import graphene
from graphql import ResolveInfo
from promise import Promise
from saleor.graphql.product.types import Product, ProductVariant

from backend.api.loaders import PublishedProductLoader
from backend.api.types.catalogue import Dish
from backend.api.types.texts import required_list
from backend.catalogue import kitchen


class DishPeopleInput(graphene.InputObjectType):
    """A dish, and for how many people."""

    dish = graphene.String(required=True, description="Its slug.")
    people = graphene.Int(required=True, description="1 to 50.")


class InsteadInput(graphene.InputObjectType):
    """One good in the place of another, where a recipe allows it."""

    product = graphene.String(required=True, description="Slug of the good that the recipe names.")
    use = graphene.String(required=True, description="Slug of the good to take.")


class DishPeople(graphene.ObjectType):
    """A dish, and for how many people."""

    dish = graphene.Field(Dish, required=True)
    people = graphene.Int(required=True)


class ShoppingPortion(graphene.ObjectType):
    """What one dish takes of it, as its recipe says."""

    dish = graphene.String(required=True, description="The dish's slug.")
    name = graphene.String(required=True, description="What the recipe calls it.")
    amount = graphene.Int(required=True, description="For as many people as the recipe serves.")


class ShoppingPacks(graphene.ObjectType):
    """So many packs of one variant."""

    variant = graphene.Field(ProductVariant, required=True)
    quantity = graphene.Int(required=True)


class ShoppingListLine(graphene.ObjectType):
    """One good for all the dishes that want it, or one thing that is not sold here."""

    portions = required_list(ShoppingPortion)
    product = graphene.Field(Product, description="Null: not sold here.")
    unit = graphene.String(required=True, description='"g" or "piece".')
    needed = graphene.Int(required=True, description="In the unit, for everybody, rounded up.")
    packs = required_list(
        ShoppingPacks, description="The cheapest packs that hold what is needed, or all that there are."
    )
    bought = graphene.Int(required=True, description="What is in the packs together.")
    surplus = graphene.Int(required=True, description="What is left over.")
    missing = graphene.Int(required=True, description="What the shop has not got of a good that it sells.")
    instead_of = graphene.Field(
        Product, description="The good that the recipe names, where another was taken."
    )
    alternatives = required_list(
        Product, description="Goods that may take its place and are there, where it is short."
    )

    @staticmethod
    def resolve_portions(root: Line, _info: ResolveInfo) -> tuple[kitchen.Portion, ...]:
        return root.line.portions

    @staticmethod
    def resolve_product(root: Line, info: ResolveInfo) -> Promise | None:
        product = root.line.product
        return PublishedProductLoader(info.context).load(product) if product else None

    @staticmethod
    def resolve_unit(root: Line, _info: ResolveInfo) -> str:
        return root.line.unit

    @staticmethod
    def resolve_needed(root: Line, _info: ResolveInfo) -> int:
        return root.line.needed

    @staticmethod
    def resolve_packs(root: Line, _info: ResolveInfo) -> list[ShoppingPacks]:
        return [
            ShoppingPacks(variant=root.variants[variant], quantity=quantity)
            for variant, quantity in root.line.bought.packs
        ]

    @staticmethod
    def resolve_bought(root: Line, _info: ResolveInfo) -> int:
        return root.line.bought.units

    @staticmethod
    def resolve_surplus(root: Line, _info: ResolveInfo) -> int:
        return root.line.surplus

    @staticmethod
    def resolve_missing(root: Line, _info: ResolveInfo) -> int:
        return root.line.missing

    @staticmethod
    def resolve_instead_of(root: Line, info: ResolveInfo) -> Promise | None:
        replaced = root.line.instead_of
        return PublishedProductLoader(info.context).load(replaced) if replaced else None

    @staticmethod
    def resolve_alternatives(root: Line, info: ResolveInfo) -> Promise:
        return PublishedProductLoader(info.context).load_many(list(root.line.alternatives))


class Line:
    """A line of kitchen.py, with the variants that it names."""

    def __init__(self, line: kitchen.ListLine, variants: Mapping[int, object]) -> None:
        self.line = line
        self.variants = variants


class ShoppingList(graphene.ObjectType):
    """What to buy for some dishes."""

    dishes = required_list(DishPeople)
    lines = required_list(ShoppingListLine, description="What is sold here first.")


class MenuDay(graphene.ObjectType):
    """What to cook on one day."""

    date = graphene.Date(required=True)
    dishes = required_list(Dish)
