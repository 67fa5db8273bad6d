from __future__ import annotations

from functools import partial
from typing import Any

import graphene
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from graphql import ResolveInfo
from saleor.account.models import User
from saleor.graphql.core.types import Upload

from backend.api.desk import own_report
from backend.api.errors import StockReportError, code_of
from backend.api.permissions import program_of, reporter, reporting_cooperative
from backend.api.types.stock import (
    Quantity,
    StockBasisEnum,
    StockColumnRoleEnum,
    StockReport,
    StockReportSourceEnum,
)
from backend.api.types.texts import required_list
from backend.common.errors import ShopError
from backend.stock import models, words
from backend.stock.dead_letters import close_of_report
from backend.stock.feed_services import try_reports_again
from backend.stock.services import (
    SubmittedLine,
    confirm_lines,
    confirm_report,
    discard_report,
    keep_upload,
    remember_columns,
    submit_report,
    undo_report,
)
from backend.stock.tasks import apply_report
from backend.stock.waiting import hand_over

MOST_FILE_BYTES = 10 * 1024 * 1024

LONG_FILE_BYTES = 256 * 1024
"""Some 10,000 rows. What is longer is left to a worker; nobody waits for it in front of a page."""


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
                source=_source(info, input.get("source") or models.Report.Source.PUSH.value),
                submitted_by=user,
                program=program_of(info),
                now=timezone.now(),
            )
        except ShopError as error:
            return cls(errors=_errors(error))
        return cls(report=report, errors=[])


class _OfAReport(graphene.Mutation):
    """What is done with a report of one's own cooperative, named by its id."""

    class Meta:
        abstract = True

    @classmethod
    def mutate(cls, _root: Any, info: ResolveInfo, id: str, **given: Any) -> Any:
        user = reporter(info)
        try:
            report = own_report(info, id)
            if report is None:
                raise UnknownReport(_("There is no such report among yours."))
            report = cls.act(report=report, user=user, **given)
        except ShopError as error:
            return cls(errors=_errors(error))
        return cls(report=report, errors=[])

    @classmethod
    def act(cls, *, report: models.Report, user: User | None, **given: Any) -> models.Report:
        raise NotImplementedError


class UnknownReport(ShopError):
    code = "unknown_report"
    field = "id"


class FileRefused(ShopError):
    code = "file_refused"
    field = "file"


class StockReportUpload(graphene.Mutation):
    """Takes a file as it is kept in the cooperative: CSV, a workbook, JSON. It changes nothing until it is confirmed."""

    report = graphene.Field(StockReport)
    errors = required_list(StockReportError)

    class Arguments:
        cooperative = graphene.String(required=True, description="The cooperative's slug.")
        file = graphene.Argument(Upload, required=True, description="At most 10 MB.")
        basis = graphene.Argument(StockBasisEnum, description="SHELF where it is not said.")
        complete = graphene.Boolean(default_value=False, description="A good that is absent is sold out.")

    @classmethod
    def mutate(
        cls,
        _root: Any,
        info: ResolveInfo,
        cooperative: str,
        file: Any,
        complete: bool,
        basis: str | None = None,
    ) -> StockReportUpload:
        user = reporter(info)
        try:
            own = reporting_cooperative(info, cooperative)
            sent = info.context.FILES.get(file) if isinstance(file, str) else None
            if sent is None:
                raise FileRefused(_("No file was sent. Please choose one."), code="file_missing")
            if not sent.size:
                raise FileRefused(_("The file is empty. Please choose another."), code="file_empty")
            if sent.size > MOST_FILE_BYTES:
                raise FileRefused(
                    _("The file is larger than 10 MB. Send only the sheet with the stock."),
                    code="file_too_large",
                )
            report = keep_upload(
                cooperative=own,
                filename=sent.name or "",
                raw=sent.read(),
                basis=words.Basis(basis or words.Basis.SHELF),
                is_complete=complete,
                submitted_by=user,
                program=program_of(info),
                now=timezone.now(),
            )
        except ShopError as error:
            return cls(errors=_errors(error))
        return cls(report=report, errors=[])


class StockColumnInput(graphene.InputObjectType):
    header = graphene.String(required=True, description="A heading, as StockPreview.columnsUnknown names it.")
    role = graphene.Field(StockColumnRoleEnum, required=True)


class StockReportColumns(_OfAReport):
    """Says what the headings of a draft mean; it is remembered for every later file that has the same ones."""

    report = graphene.Field(StockReport)
    errors = required_list(StockReportError)

    class Arguments:
        id = graphene.ID(required=True)
        columns = required_list(StockColumnInput)

    @classmethod
    def act(cls, *, report: models.Report, user: User | None, **given: Any) -> models.Report:
        remember_columns(
            report=report,
            mapping={each["header"]: each["role"] for each in given["columns"]},
            submitted_by=user,
            now=timezone.now(),
        )
        return report


class StockReportConfirm(_OfAReport):
    """Applies a draft, once. A long one is applied by a worker: `progress` says how far it is."""

    report = graphene.Field(StockReport)
    errors = required_list(StockReportError)

    class Arguments:
        id = graphene.ID(required=True)
        accepted_waiting = graphene.List(
            graphene.NonNull(graphene.Int),
            description="Numbers of rows that would wait, and that somebody says are meant.",
        )

    @classmethod
    def act(cls, *, report: models.Report, user: User | None, **given: Any) -> models.Report:
        rows = given.get("accepted_waiting") or ()
        if len(report.raw) <= LONG_FILE_BYTES:
            return confirm_report(
                report_id=report.pk, accepted_waiting=rows, submitted_by=user, now=timezone.now()
            )
        confirmed = hand_over(report_id=report.pk, accepted_waiting=rows, submitted_by=user)
        transaction.on_commit(partial(apply_report.delay, str(report.pk)))
        return confirmed


class StockReportDiscard(_OfAReport):
    """Puts aside a draft, or a report that failed."""

    report = graphene.Field(StockReport)
    errors = required_list(StockReportError)

    class Arguments:
        id = graphene.ID(required=True)

    @classmethod
    def act(cls, *, report: models.Report, user: User | None, **given: Any) -> models.Report:
        discarded = discard_report(report_id=report.pk)
        close_of_report(report_id=report.pk, now=timezone.now())
        return discarded


class StockReportRetry(_OfAReport):
    """Has a report that failed applied once more, by a worker. One that did not fail stays as it is."""

    report = graphene.Field(StockReport)
    errors = required_list(StockReportError)

    class Arguments:
        id = graphene.ID(required=True)

    @classmethod
    def act(cls, *, report: models.Report, user: User | None, **given: Any) -> models.Report:
        if try_reports_again(report_ids=[report.pk]):
            close_of_report(report_id=report.pk, now=timezone.now())
            transaction.on_commit(partial(apply_report.delay, str(report.pk)))
        report.refresh_from_db(fields=["status", "message"])
        return report


class StockReportUndo(_OfAReport):
    """Takes back what a report changed. Goods that were counted again since stay; the report's message names them."""

    report = graphene.Field(StockReport)
    errors = required_list(StockReportError)

    class Arguments:
        id = graphene.ID(required=True)

    @classmethod
    def act(cls, *, report: models.Report, user: User | None, **given: Any) -> models.Report:
        return undo_report(report_id=report.pk, submitted_by=user, now=timezone.now())


class StockLinesConfirm(_OfAReport):
    """Says of rows that wait in an applied report that they are meant."""

    report = graphene.Field(StockReport)
    errors = required_list(StockReportError)

    class Arguments:
        id = graphene.ID(required=True)
        rows = required_list(graphene.Int)

    @classmethod
    def act(cls, *, report: models.Report, user: User | None, **given: Any) -> models.Report:
        return confirm_lines(report_id=report.pk, rows=given["rows"], submitted_by=user, now=timezone.now())


def _errors(error: ShopError) -> list[StockReportError]:
    return [StockReportError(field=getattr(error, "field", None), code=code_of(error), message=str(error))]


def _source(info: ResolveInfo, given: str) -> models.Report.Source:
    """A program is no desk: what is written twice at the desk is believed, since a person looked at it."""
    source = models.Report.Source(given)
    may_say = {models.Report.Source.PUSH}
    if program_of(info) is None:
        may_say.add(models.Report.Source.DESK)
    if source not in may_say:
        raise ShopError(
            _("A report that is submitted comes from the desk or from a program."), code="source_invalid"
        )
    return source
