from __future__ import annotations

from typing import Any

import graphene
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from graphql import ResolveInfo

from backend.api.errors import StockReportError, code_of
from backend.api.permissions import reporter, reporting_cooperative
from backend.api.types.stock import (
    Quantity,
    StockBasisEnum,
    StockReport,
    StockReportSourceEnum,
)
from backend.api.types.texts import required_list
from backend.common.errors import ShopError
from backend.stock import models, words
from backend.stock.services import SubmittedLine, submit_report


class StockReportLineInput(graphene.InputObjectType):
    code = graphene.String(required=True, description="The supply's code.")
    quantity = Quantity(required=True)
    unit = graphene.String(description="斤, 公斤, g, 个, 筐 …; the base unit where absent.")
    lot = graphene.String(description="The harvest lot, as the cooperative writes it.")


class StockReportInput(graphene.InputObjectType):
    cooperative = graphene.String(required=True, description="The cooperative's slug.")
    basis = StockBasisEnum(required=True)
    counted_at = graphene.DateTime(required=True)
    sequence = graphene.Int(default_value=0, description="Orders reports of one counted_at.")
    idempotency_key = graphene.String(
        required=True,
        description="Chosen by the client; the same key answers with the same report for ever.",
    )
    source = StockReportSourceEnum(
        description="DESK for what a person typed into the desk's form; PUSH, also when absent, for a program's.",
    )
    complete = graphene.Boolean(default_value=False, description="A good that is absent is sold out.")
    lines = required_list(StockReportLineInput)


class StockReportSubmit(graphene.Mutation):
    """Takes a cooperative's counts. Lines that cannot be used are refused one by one; the others go through."""

    report = graphene.Field(StockReport)
    errors = required_list(StockReportError)

    class Arguments:
        input = graphene.Argument(StockReportInput, required=True)

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, input: dict[str, Any]) -> StockReportSubmit:
        user = reporter(info)
        try:
            report = submit_report(
                cooperative=reporting_cooperative(info, input["cooperative"]),
                basis=words.Basis(input["basis"]),
                counted_at=input["counted_at"],
                sequence=input["sequence"],
                idempotency_key=input["idempotency_key"],
                is_complete=input["complete"],
                lines=[
                    SubmittedLine(
                        code=line["code"],
                        quantity=line["quantity"],
                        unit=line.get("unit") or "",
                        lot=line.get("lot") or "",
                    )
                    for line in input["lines"]
                ],
                source=_source(input.get("source") or models.Report.Source.PUSH.value),
                submitted_by=user,
                now=timezone.now(),
            )
        except ShopError as error:
            return cls(
                errors=[
                    StockReportError(
                        field=getattr(error, "field", None),
                        code=code_of(error),
                        message=str(error),
                    )
                ]
            )
        return cls(report=report, errors=[])


def _source(given: str) -> models.Report.Source:
    source = models.Report.Source(given)
    if source in (models.Report.Source.FEED, models.Report.Source.UPLOAD):
        raise ShopError(
            _("A report that is submitted comes from the desk or from a program."), code="source_invalid"
        )
    return source
