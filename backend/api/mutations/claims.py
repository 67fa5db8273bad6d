from __future__ import annotations

from typing import Any
from uuid import UUID

import graphene
from django.core.files.base import File
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from graphql import ResolveInfo
from graphql_relay import from_global_id
from saleor.graphql.core.types import Upload
from saleor.graphql.order.types import Order

from backend.api.errors import ClaimOpenError, code_of
from backend.api.types.ordering import Claim, ClaimProblemEnum
from backend.api.types.texts import required_list
from backend.ordering.claims import MOST_PHOTOS, ClaimRequest, open_claim
from backend.ordering.errors import ClaimRefused
from backend.saleor_port.attempts import TooManyAttempts, take_claim


class ClaimOpenInput(graphene.InputObjectType):
    order = graphene.UUID(required=True, description="The order's token; enough for an order of a guest.")
    line = graphene.ID(required=True, description="One of Order.claimable.")
    packs = graphene.Int(required=True, description="How many of the line's packs are affected.")
    problem = graphene.Field(ClaimProblemEnum, required=True)
    words = graphene.String(required=True, description="A sentence, at most 500 characters.")
    idempotency_key = graphene.String(
        required=True,
        description="Chosen by the client; the same key answers with the same claim for ever.",
    )


class ClaimOpen(graphene.Mutation):
    """Claims for what arrived spoilt, short or wrong, with one to four photos. Staff decide on it."""

    claim = graphene.Field(Claim)
    order = graphene.Field(Order)
    errors = required_list(ClaimOpenError)

    class Arguments:
        input = graphene.Argument(ClaimOpenInput, required=True)
        photos = required_list(Upload, description="JPEG, PNG, WebP or GIF, of 8 MB at most each.")

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, input: dict[str, Any], photos: list[Any]) -> ClaimOpen:
        user = info.context.user if info.context.user.is_authenticated else None
        try:
            take_claim(order=str(input["order"]), request=info.context)
            claim = open_claim(
                request=ClaimRequest(
                    order_token=UUID(str(input["order"])),
                    line_pk=_line_pk(input["line"]),
                    packs=input["packs"],
                    problem=input["problem"],
                    words=input["words"],
                    idempotency_key=input["idempotency_key"],
                    photos=_files(info, photos),
                ),
                user=user,
                now=timezone.now(),
            )
        except TooManyAttempts as error:
            return cls(errors=[ClaimOpenError(code="TOO_MANY_ATTEMPTS", message=" ".join(error.messages))])
        except ClaimRefused as error:
            return cls(errors=[ClaimOpenError(field=error.field, code=code_of(error), message=str(error))])
        return cls(claim=claim, order=claim.order_line.order, errors=[])


def _files(info: ResolveInfo, named: list[Any]) -> list[File[Any]]:
    """The files that came along under these names; none twice, and no more than a look costs."""
    found = [info.context.FILES.get(name) for name in dict.fromkeys(map(str, named[: MOST_PHOTOS + 1]))]
    return [file for file in found if file is not None]


def _line_pk(global_id: str) -> int:
    try:
        kind, pk = from_global_id(global_id)
        if kind == "OrderLine":
            return int(pk)
    except (ValueError, UnicodeDecodeError):
        pass  # Said below: it is answered like a line of somebody else's.
    raise ClaimRefused(_("Please choose which of the goods that you got."), code="line_unknown", field="line")
