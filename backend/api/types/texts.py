from __future__ import annotations

from typing import Any

import graphene
from django.db.models import Model
from graphql import ResolveInfo

from backend.common.language import localised


def localised_text(field: str, *, description: str = "") -> graphene.String:
    """A required text in the language of the request, kept as `field` and `field`_en."""

    def resolve(root: Model, _info: ResolveInfo) -> str:
        return localised(root, field)

    return graphene.String(required=True, description=description, resolver=resolve)


def required_list(of: Any, **kwargs: Any) -> graphene.List:
    """[of!]!"""
    return graphene.List(graphene.NonNull(of), required=True, **kwargs)


# The longest list that a client may ask for in one field.
MOST_ITEMS = 100


def bounded(first: int) -> int:
    """How many items to answer with: at least none, at most MOST_ITEMS."""
    return max(0, min(first, MOST_ITEMS))
