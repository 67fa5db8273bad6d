"""The desk: a cooperative's bookkeeper says what is in the shed, and sees what to pack."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from storefront_theme import session
from storefront_theme.client import ask
from storefront_theme.desk import pack_list
from storefront_theme.desk.counts import (
    Typed,
    changes,
    fields,
    read_typed,
    report_key,
    report_lines,
    taken_over,
)
from storefront_theme.desk.door import KEPT_TYPED, Desk, desk_page, frame, report_or_404, supplies_of

KEPT_SECONDS = 24 * 3600

OPEN = {"REFUSED", "WAITING"}
"""Outcomes that want a person."""

TAKEN_BACK = {"UNDONE", "PARTLY"}
"""Of a report that somebody undid: what it saved is saved no more, whoever comes back to the page that said so."""


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def counts(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Today's counts: one field a good; blank means unchanged."""
    supplies = supplies_of(request, desk)
    if request.method != "POST":
        kept = request.session.get(KEPT_TYPED, {}).get(desk.slug, {})
        if kept:
            del request.session[KEPT_TYPED]
        typed = read_typed(kept, supplies=supplies)
        return _counting_form(request, desk, supplies=supplies, typed=typed)

    typed = read_typed(request.POST, supplies=supplies)
    if not typed:
        return _counting_form(
            request,
            desk,
            supplies=supplies,
            typed={},
            notice=_("Nothing was filled in, so nothing has changed."),
            status=422,
        )
    lines = report_lines(typed, supplies=supplies)
    key = report_key(request.POST.get("key", ""), lines=lines)
    # The first of two taps decides when it was counted and what was there before, so that the second says the same.
    first: dict[str, Any] = cache.get_or_set(  # type: ignore[assignment]  # a default that is given is never None
        f"desk:{key}",
        {
            "counted_at": timezone.now().isoformat(),
            "before": {supply["id"]: supply["onHand"] for supply in supplies},
            "typed": {supply_id: [written.quantity, written.unit] for supply_id, written in typed.items()},
        },
        KEPT_SECONDS,
    )
    answer = ask(
        request,
        "StockReportSubmit",
        input={
            "cooperative": desk.slug,
            "basis": "SHELF",
            "countedAt": first["counted_at"],
            "idempotencyKey": key,
            "source": "DESK",
            "lines": lines,
        },
    )["stockReportSubmit"]
    if answer["errors"]:
        return _counting_form(
            request,
            desk,
            supplies=supplies,
            typed=typed,
            notice=" ".join(error["message"] for error in answer["errors"]),
            status=422,
        )
    report_id = answer["report"]["id"]
    cache.set(f"desk-report:{report_id}", first, KEPT_SECONDS)
    return HttpResponseRedirect(desk.address("desk:saved", report_id))


@desk_page
@require_GET
def saved(request: HttpRequest, desk: Desk, report_id: str) -> HttpResponse:
    """What the counts changed, and the fields that could not be saved, with what was typed in them."""
    report = report_or_404(request, desk, report_id)
    if report["status"] in TAKEN_BACK:
        return HttpResponseRedirect(desk.address("desk:report", report_id))
    first: Mapping[str, Any] = cache.get(f"desk-report:{report_id}") or {}
    supplies = supplies_of(request, desk)
    failed = {
        line["supply"]["id"]: line
        for line in [*report["openLines"], *report["waitingLines"]]
        if line["supply"]
    }
    typed = {supply_id: Typed(*written) for supply_id, written in first.get("typed", {}).items()}
    changed = changes(report["lines"], before=first.get("before", {}))
    return render(
        request,
        "desk/saved.html",
        frame(desk, "counts")
        | {
            "report": report,
            "changes": changed,
            "shortfalls": [change for change in changed if change.shortfall],
            "fields": fields(
                [supply for supply in supplies if supply["id"] in failed],
                typed={
                    supply_id: typed.get(supply_id, Typed(line["raw"], ""))
                    for supply_id, line in failed.items()
                },
                messages={supply_id: line["message"] or "" for supply_id, line in failed.items()},
                address=partial(desk.address, "desk:history"),
            ),
            "skipped": [line for line in report["lines"] if line["outcome"] == "SKIPPED"],
            "key": uuid.uuid4().hex,
            "undo_address": desk.address("desk:undo", report_id),
        },
    )


@desk_page
@require_GET
def reports(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What the cooperative said lately, by feed and by hand."""
    listed = ask(request, "DeskReports", cooperative=desk.slug, after=request.GET.get("after") or None)
    connection = listed["stockReports"]
    drawn = [
        edge["node"] | {"address": desk.address("desk:report", edge["node"]["id"])}
        for edge in connection["edges"]
    ]
    return render(
        request,
        "desk/reports.html",
        frame(desk, "reports") | {"reports": drawn, "older": desk.older("desk:reports", connection)},
    )


@desk_page
@require_GET
def report(request: HttpRequest, desk: Desk, report_id: str) -> HttpResponse:
    """One report, row by row: what needs a person first."""
    found = report_or_404(request, desk, report_id)
    if found["status"] == "DRAFT":
        # Whoever left it unconfirmed finds it again among the records.
        return HttpResponseRedirect(desk.address("desk:draft", report_id))
    lines = [_drawn(line, desk=desk) for line in found["lines"]]
    others = [line for line in lines if line["outcome"] not in OPEN]
    open_lines = [_drawn(line, desk=desk) for line in [*found["openLines"], *found["waitingLines"]]]
    return render(
        request,
        "desk/report.html",
        frame(desk, "reports")
        | {
            "report": found,
            "open_lines": open_lines,
            "open_not_shown": found["refused"] + found["waiting"] - len(open_lines),
            "other_lines": others,
            "not_shown": found["accepted"] + found["skipped"] - len(others),
            "undo_address": desk.address("desk:undo", report_id),
            "failed_address": desk.address("desk:failed", report_id),
            "raw_address": desk.address("desk:raw", report_id),
        },
    )


def _drawn(line: Mapping[str, Any], *, desk: Desk) -> dict[str, Any]:
    supply = line["supply"]
    address = desk.address("desk:history", supply["code"]) if supply else ""
    return {**line, "figure": taken_over(line), "address": address}


@desk_page
@require_GET
def orders(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What to pick, and for whom: printable."""
    answer = ask(request, "DeskPackList", cooperative=desk.slug)["packList"]
    return render(
        request,
        "desk/orders.html",
        frame(desk, "orders")
        | {
            "goods": answer["goods"],
            "stops": pack_list.by_stop(answer["orders"]),
            "order_count": len(answer["orders"]),
            "now": timezone.now(),
        },
    )


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The desk's own sign-in: two large fields."""
    refused = ""
    if request.method == "POST":
        try:
            session.sign_in(request, request.POST.get("email", ""), request.POST.get("password", ""))
        except session.SignInRefused as error:
            refused = str(error)
        else:
            return HttpResponseRedirect(session.next_or(request, reverse("desk:counts")))
    return render(
        request,
        "desk/sign_in.html",
        {
            "next": session.next_or(request, reverse("desk:counts")),
            "email": request.POST.get("email", ""),
            "refused": refused,
            "kept": bool(request.session.get(KEPT_TYPED)),
        },
        status=422 if refused else 200,
    )


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Back to the sign-in."""
    session.sign_out(request)
    return HttpResponseRedirect(reverse("desk:sign_in"))


def _counting_form(
    request: HttpRequest,
    desk: Desk,
    *,
    supplies: list[Mapping[str, Any]],
    typed: Mapping[str, Typed],
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    drawn = fields(supplies, typed=typed, address=partial(desk.address, "desk:history"))
    troubles = ask(request, "DeskAlerts", cooperative=desk.slug)
    context = frame(desk, "counts") | {
        "alerts": troubles["stockAlerts"],
        "is_waiting": bool(troubles["waitingLines"]["edges"]),
        "fields": drawn,
        "shortfalls": [field for field in drawn if field.shortfall],
        "notice": notice,
        "key": uuid.uuid4().hex,
    }
    return render(request, "desk/today.html", context, status=status)
