"""The second token that a sign-in gives.

graphene 2 reads a type's fields from _meta when the schema is built, so this module is imported before that.
"""

from __future__ import annotations

from typing import Any

import graphene
from graphql import ResolveInfo
from saleor.graphql.account.mutations.base import SetPassword
from saleor.graphql.core.mutations import CreateToken

from backend.saleor_port.tokens import refresh_token


def resolve_refresh_token(root: Any, _info: ResolveInfo) -> str | None:
    return refresh_token(root.user) if root.token else None


for _mutation in (CreateToken, SetPassword):
    _mutation._meta.fields["refresh_token"] = graphene.Field(
        graphene.String,
        description="Opens nothing: tokenRefresh exchanges it for a new token, for two weeks.",
        resolver=resolve_refresh_token,
    )
