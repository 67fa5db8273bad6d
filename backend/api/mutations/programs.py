from __future__ import annotations

from typing import Any

import graphene
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from graphql import ResolveInfo

from backend.api.errors import RequestError, code_of
from backend.api.permissions import managed_cooperative, signed_in
from backend.api.types.programs import StockToken
from backend.api.types.texts import required_list
from backend.common.errors import ShopError
from backend.cooperatives.models import ProgramToken
from backend.cooperatives.selectors import may_manage
from backend.cooperatives.services import TokenRefused, issue_token, revoke_token


class StockTokenError(RequestError):
    """Why a token was not issued or revoked."""


class StockTokenIssue(graphene.Mutation):
    """A token for a cooperative's own program: it reports this cooperative's stock, and opens nothing else."""

    token = graphene.String(
        description="To be sent as `Authorization: Bearer …`. Shown this once, and not kept."
    )
    stock_token = graphene.Field(StockToken)
    errors = required_list(StockTokenError)

    class Arguments:
        cooperative = graphene.String(required=True, description="The cooperative's slug.")
        name = graphene.String(required=True, description="Of the program that will use it.")

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, cooperative: str, name: str) -> StockTokenIssue:
        managed = managed_cooperative(info, cooperative)
        try:
            stock_token, text = issue_token(
                cooperative=managed, name=name, issued_by=signed_in(info), now=timezone.now()
            )
        except ShopError as error:
            return cls(errors=[StockTokenError(field="name", code=code_of(error), message=str(error))])
        return cls(token=text, stock_token=stock_token, errors=[])


class StockTokenRevoke(graphene.Mutation):
    """From now on the token opens nothing."""

    stock_token = graphene.Field(StockToken)
    errors = required_list(StockTokenError)

    class Arguments:
        id = graphene.ID(required=True)

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, id: str) -> StockTokenRevoke:
        user = signed_in(info)
        token = (
            ProgramToken.objects.filter(pk=int(id)).select_related("cooperative", "issued_by").first()
            if id.isdecimal() and len(id) < 19
            else None
        )
        if token is None or not may_manage(user=user, cooperative=token.cooperative):
            refused = TokenRefused(_("There is no such token among yours."), code="unknown_token")
            return cls(errors=[StockTokenError(field="id", code=code_of(refused), message=str(refused))])
        return cls(stock_token=revoke_token(token=token, now=timezone.now()), errors=[])
