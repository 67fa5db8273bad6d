"""Why a figure is what it is, and the rows that somebody must look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from storefront_theme.client import ask
from storefront_theme.desk.counts import cell_of, difference, figure, taken_over, unit_label
from storefront_theme.desk.door import Desk, desk_page, frame
from storefront_theme.desk.files import ticked_rows


@dataclass(frozen=True)
class Entry:
    """One entry of the ledger, figures as the bookkeeper reads them. by: who or what said so; address: of the report."""

    kind: str
    happened_at: datetime
    recorded_at: datetime
    change: str
    promised: str
    after: str
    free: str
    cell: str
    raw: str
    by: str
    order_number: str
    address: str
    raw_address: str


@desk_page
@require_GET
def history(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Why a good's figure is what it is: every entry of the ledger, back to the cell that somebody wrote."""
    answer = ask(
        request, "DeskHistory", cooperative=desk.slug, code=code, after=request.GET.get("after") or None
    )
    supply = answer["supply"]
    if supply is None:
        raise Http404("no such good")
    unit = supply["unit"]
    return render(
        request,
        "desk/history.html",
        frame(desk, "counts")
        | {
            "supply": supply,
            "unit_label": unit_label(supply),
            "on_hand": figure(supply["onHand"], unit=unit),
            "promised": figure(supply["allocated"], unit=unit),
            "free": figure(max(supply["free"], 0), unit=unit),
            "entries": [_entry(edge["node"], unit=unit, desk=desk) for edge in answer["movements"]["edges"]],
            "older": desk.older("desk:history", answer["movements"], code),
            "is_first": not request.GET.get("after"),
        },
    )


def _entry(entry: Mapping[str, Any], *, unit: str, desk: Desk) -> Entry:
    line = entry["line"]
    report = line["report"] if line else None
    by = ""
    if report:
        said_by = report["submittedBy"] or report["program"]
        by = report["undoneBy"] if entry["kind"] == "UNDO" else said_by
    return Entry(
        kind=_kind(entry["kind"]),
        happened_at=datetime.fromisoformat(entry["happenedAt"]),
        recorded_at=datetime.fromisoformat(entry["recordedAt"]),
        change=difference(before=0, after=entry["onHandDelta"], unit=unit) if entry["onHandDelta"] else "",
        promised=difference(before=0, after=entry["allocatedDelta"], unit=unit)
        if entry["allocatedDelta"]
        else "",
        after=figure(entry["onHandAfter"], unit=unit),
        free=figure(max(entry["onHandAfter"] - entry["allocatedAfter"], 0), unit=unit),
        cell=cell_of(line) if line else "",
        raw=line["raw"] if line else "",
        by=by,
        order_number=entry["orderNumber"],
        address=desk.address("desk:report", report["id"]) if report else "",
        raw_address=desk.address("desk:raw", report["id"]) if report else "",
    )


def _kind(kind: str) -> str:
    return {
        "COUNT": _("counted"),
        "ALLOCATE": _("sold, to be packed"),
        "RELEASE": _("order cancelled, for sale again"),
        "FULFIL": _("packed and gone"),
        "RETURN": _("come back"),
        "CORRECTION": _("corrected by the shop"),
        "UNDO": _("a count was taken back"),
    }.get(kind, kind)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def waiting(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Rows that were not believed: somebody says that they are meant, or counts again."""
    if request.method == "POST":
        answer = ask(
            request, "DeskLinesConfirm", id=request.POST.get("report", ""), rows=ticked_rows(request)
        )
        _tell(request, answer["stockLinesConfirm"])
        return HttpResponseRedirect(desk.address("desk:waiting"))
    listed = ask(request, "DeskWaiting", cooperative=desk.slug, after=request.GET.get("after") or None)
    connection = listed["waitingLines"]
    return render(
        request,
        "desk/waiting.html",
        frame(desk, "reports")
        | {
            "lines": [
                edge["node"]
                | {
                    "cell": cell_of(edge["node"]),
                    "figure": taken_over(edge["node"]),
                    "address": desk.address("desk:report", edge["node"]["report"]["id"]),
                }
                for edge in connection["edges"]
            ],
            "older": desk.older("desk:waiting", connection),
        },
    )


def _tell(request: HttpRequest, confirmed: Mapping[str, Any]) -> None:
    """What became of the rows that somebody said are meant: a newer count may stand, or there is no number in them."""
    lines = confirmed["report"]["lines"] if confirmed["report"] else []
    if lines and all(line["outcome"] == "ACCEPTED" for line in lines):
        messages.success(request, _("Taken over as it was written."))
        return
    left = [line for line in lines if line["outcome"] != "ACCEPTED"]
    why = " ".join(each["message"] for each in [*confirmed["errors"], *left] if each["message"])
    messages.error(request, _("Not taken over: %(why)s") % {"why": why})
