from __future__ import annotations

import graphene
from graphene_django import DjangoObjectType
from graphql import ResolveInfo

from backend.api.types.stock import name_of
from backend.cooperatives import models


class StockToken(DjangoObjectType):
    ending = graphene.String(required=True, description="Its last four characters, to tell it from others.")
    issued_by = graphene.String(required=True, description="Who issued it; empty where the account is gone.")

    class Meta:
        model = models.ProgramToken
        description = "What a cooperative's own program signs in with. For the cooperative's managers."
        fields = ("id", "name", "issued_at", "last_used_at", "revoked_at")

    @staticmethod
    def resolve_issued_by(root: models.ProgramToken, _info: ResolveInfo) -> str:
        return name_of(root.issued_by)
