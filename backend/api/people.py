"""What a buyer may ask about themselves, beyond Saleor's `me`."""

from __future__ import annotations

from typing import Any

import graphene
from graphql import ResolveInfo

from backend.api.permissions import signed_in
from backend.api.types.texts import required_list
from backend.catalogue.waiting.selectors import Waiting, waits_of


class Wait(graphene.ObjectType):
    """A pack that somebody waits for: one letter when it can be bought again."""

    id = graphene.ID(required=True, description="To be given to waitStop.")
    slug = graphene.String(required=True, description="The product's.")
    name = graphene.String(required=True)
    pack = graphene.String(required=True)
    asked_at = graphene.DateTime(required=True)
    until = graphene.DateTime(required=True, description="Then the entry ends by itself.")

    @staticmethod
    def resolve_id(root: Waiting, _info: ResolveInfo) -> str:
        return str(root.pk)


class PeopleQueries(graphene.ObjectType):
    """What belongs to the person who asks."""

    my_waits = required_list(Wait, description="What one waits for, the oldest first; 20 at most.")

    @staticmethod
    def resolve_my_waits(_root: Any, info: ResolveInfo) -> list[Waiting]:
        return waits_of(user=signed_in(info))
