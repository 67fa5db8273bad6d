"""Stock files: one is chosen, shown with what it would change, confirmed, and may be taken back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from storefront_theme.client import ask
from storefront_theme.desk.counts import cell_of, difference, figure, unit_label
from storefront_theme.desk.door import Desk, desk_page, frame, supplies_of
from storefront_theme.desk.stock_file import stock_csv

ROLES = ("CODE", "NAME", "QUANTITY", "UNIT", "LOT", "DATE", "NOTE")
MOST_ROWS = 5_000


@dataclass(frozen=True)
class Row:
    """One row of the file. old, new, difference: as the bookkeeper reads them, in unit_label; "" where there is none."""

    number: int
    cell: str
    name: str
    code: str
    raw: str
    message: str
    unit_label: str
    old: str
    new: str
    difference: str
    may_confirm: bool


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Choose a file. Nothing changes until its preview is confirmed."""
    notice = ""
    basis = "SELLABLE" if request.POST.get("basis") == "SELLABLE" else "SHELF"
    complete = request.POST.get("complete") == "yes"
    if request.method == "POST":
        chosen = request.FILES.get("file")
        if chosen is None:
            notice = _("Please choose a file first.")
        else:
            answer = ask(
                request, "DeskUpload", cooperative=desk.slug, file=chosen, basis=basis, complete=complete
            )["stockReportUpload"]
            if not answer["errors"]:
                return HttpResponseRedirect(desk.address("desk:draft", answer["report"]["id"]))
            notice = _said(answer)
    return render(
        request,
        "desk/upload.html",
        frame(desk, "counts")
        | {
            "notice": notice,
            "basis": basis,
            "complete": complete,
            "template": desk.address("desk:stock_csv"),
        },
        status=422 if notice else 200,
    )


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, desk: Desk, report_id: str) -> HttpResponse:
    """What the file would change: old, new and difference of each good, and what somebody must look at."""
    notice = ""
    if request.method == "POST":
        answer = _act(request, report_id)
        if not answer["errors"]:
            if answer["report"]["status"] == "DISCARDED":
                return HttpResponseRedirect(desk.address("desk:upload"))
            if answer["report"]["status"] != "DRAFT":
                return HttpResponseRedirect(desk.address("desk:report", report_id))
        notice = _said(answer)
    found = ask(request, "DeskDraft", id=report_id)["stockReport"]
    if found is None or found["cooperative"]["slug"] != desk.slug:
        raise Http404("no such file")
    preview = found["preview"]
    if preview is None:
        if notice:
            messages.error(request, notice)
        return HttpResponseRedirect(desk.address("desk:report", report_id))
    accepted = [row_of(line) for line in preview["acceptedLines"]]
    changed = [row for row in accepted if row.difference != "0"]
    waiting = [row_of(line) for line in preview["waitingLines"]]
    refused = [row_of(line) for line in preview["refusedLines"]]
    return render(
        request,
        "desk/draft.html",
        frame(desk, "counts")
        | {
            "report": found,
            "preview": preview,
            "notice": notice,
            "roles": _roles(),
            "headers": [
                (number, column, request.POST.get(f"role-{number}", column["role"] or ""))
                for number, column in enumerate(preview["columns"])
            ],
            "waiting": waiting,
            "waiting_not_shown": preview["waiting"] - len(waiting),
            "refused": refused,
            "refused_not_shown": preview["refused"] - len(refused),
            "changed": changed,
            "unchanged": [row for row in accepted if row.difference == "0"]
            + [row_of(line) for line in preview["skippedLines"]],
            "not_shown": preview["accepted"] - len(accepted),
            "can_confirm": bool(preview["accepted"] or any(row.may_confirm for row in waiting)),
            "ticked": set(request.POST.getlist("row")),
            "again": desk.address("desk:upload"),
        },
        status=422 if notice else 200,
    )


def _act(request: HttpRequest, report_id: str) -> dict[str, Any]:
    """What the pressed button does with the draft."""
    pressed = request.POST.get("do", "confirm")
    if pressed == "discard":
        answer = ask(request, "DeskDiscard", id=report_id)["stockReportDiscard"]
    elif pressed == "columns":
        columns = [
            {"header": request.POST.get(f"header-{number}", ""), "role": role}
            for number in range(200)
            if (role := request.POST.get(f"role-{number}", "")) in ROLES
        ]
        answer = ask(request, "DeskColumns", id=report_id, columns=columns)["stockReportColumns"]
    else:
        answer = ask(request, "DeskConfirm", id=report_id, rows=ticked_rows(request))["stockReportConfirm"]
    return dict(answer)


def ticked_rows(request: HttpRequest) -> list[int]:
    """The numbers of the rows that were ticked as meant."""
    ticked = [number for number in request.POST.getlist("row") if number.isdecimal() and len(number) < 10]
    return [int(number) for number in ticked[:MOST_ROWS]]


@desk_page
@require_POST
def undo(request: HttpRequest, desk: Desk, report_id: str) -> HttpResponse:
    """Takes back what a report changed; its page says what could not be."""
    answer = ask(request, "DeskUndo", id=report_id)["stockReportUndo"]
    if answer["errors"]:
        messages.error(request, _said(answer))
    return HttpResponseRedirect(desk.address("desk:report", report_id))


@desk_page
@require_POST
def failed(request: HttpRequest, desk: Desk, report_id: str) -> HttpResponse:
    """A report that could not be taken over: once more, or put aside."""
    if request.POST.get("do") == "discard":
        answer = ask(request, "DeskDiscard", id=report_id)["stockReportDiscard"]
    else:
        answer = ask(request, "DeskRetry", id=report_id)["stockReportRetry"]
    if answer["errors"]:
        messages.error(request, _said(answer))
    return HttpResponseRedirect(desk.address("desk:report", report_id))


@desk_page
@require_GET
def raw(request: HttpRequest, desk: Desk, report_id: str) -> HttpResponse:
    """The very bytes that were sent, to be kept, never to be shown as a page."""
    found = ask(request, "DeskRaw", id=report_id)["stockReport"]
    if found is None or found["cooperative"]["slug"] != desk.slug:
        raise Http404("no such report")
    received = datetime.fromisoformat(found["receivedAt"])
    name = found["filename"] or f"{desk.slug}-{received:%Y%m%d-%H%M%S}.{found['format']}"
    response = HttpResponse(base64.b64decode(found["rawBase64"]), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@desk_page
@require_GET
def stock(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What the shop has in its books now, as a file to fill in and upload again."""
    response = HttpResponse(stock_csv(supplies_of(request, desk)), content_type="text/csv; charset=utf-8")
    name = _("stock of %(name)s.csv") % {"name": desk.cooperative["name"]}
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


def row_of(line: Mapping[str, Any]) -> Row:
    """A row of the preview, its base units as the bookkeeper reads them."""
    supply, old, new = line["supply"], line["old"], line["new"]
    unit = supply["unit"] if supply else ""
    return Row(
        number=line["row"],
        cell=cell_of(line),
        name=line["name"] or line["code"],
        code=line["code"],
        raw=line["raw"],
        message=line["message"],
        unit_label=unit_label(supply) if supply else "",
        old="" if old is None else figure(old, unit=unit),
        new="" if new is None else figure(new, unit=unit),
        difference="" if old is None or new is None else difference(before=old, after=new, unit=unit),
        may_confirm=line["mayConfirm"],
    )


def _roles() -> list[tuple[str, str]]:
    return [
        ("", _("not needed")),
        ("CODE", _("code of the good")),
        ("NAME", _("name of the good")),
        ("QUANTITY", _("quantity in stock")),
        ("UNIT", _("unit")),
        ("LOT", _("lot")),
        ("DATE", _("date of the count")),
        ("NOTE", _("a note")),
    ]


def _said(answer: Mapping[str, Any]) -> str:
    return " ".join(error["message"] for error in answer["errors"])
