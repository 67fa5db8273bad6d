"""Whatever a thing is found by, its entry is written anew when that changes."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_delete
from saleor.product.models import Category, CategoryTranslation, Product, ProductTranslation, ProductVariant

from backend.catalogue.models import Dish, Good, Ingredient
from backend.catalogue.search.models import SearchEntry
from backend.catalogue.search.services import changed_with, index_all, index_on_commit
from backend.cooperatives.models import Cooperative, Village

WATCHED = (
    Product,
    ProductTranslation,
    ProductVariant,
    Good,
    Category,
    CategoryTranslation,
    Dish,
    Ingredient,
    Village,
    Cooperative,
)


def note_change(sender: type[Model], instance: Model, **_kwargs: Any) -> None:
    """Before a deletion as well as after it: afterwards nothing says any more what belonged to it."""
    for kind, pk in changed_with(instance):
        index_on_commit(kind=kind, pk=pk)


def fill_an_empty_index(**_kwargs: Any) -> None:
    """After a migration: a shop that had goods before it had an index."""
    if SearchEntry._meta.db_table not in connection.introspection.table_names():
        return
    if Product.objects.exists() and not SearchEntry.objects.exists():
        index_all()


def connect() -> None:
    """Called once, when all apps are loaded."""
    for model in WATCHED:
        for signal in (post_save, pre_delete if model in (Dish, Category) else post_delete):
            signal.connect(note_change, sender=model, dispatch_uid=f"search-{model.__name__}")
