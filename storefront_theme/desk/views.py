"""The desk: a cooperative's bookkeeper says what is in the shed, and sees what to pack."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from storefront_theme import session
from storefront_theme.client import ApiRefused, ask
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

KEPT_SECONDS = 24 * 3600
_KEPT_TYPED = "desk_typed"

P = ParamSpec("P")


@dataclass(frozen=True)
class Desk:
    """Whose desk it is: the cooperative in hand, and all of this person's."""

    cooperative: Mapping[str, Any]
    cooperatives: list[Mapping[str, Any]]

    @property
    def slug(self) -> str:
        return str(self.cooperative["slug"])

    def address(self, name: str, *args: str) -> str:
        """A page of this desk; it names the cooperative only where there is a choice."""
        return self._with(reverse(name, args=args))

    def older(self, name: str, connection: Mapping[str, Any], *args: str) -> str:
        """The page after this one of a list; '' for the last."""
        ends = connection["pageInfo"]
        return self._with(reverse(name, args=args), after=ends["endCursor"]) if ends["hasNextPage"] else ""

    def _with(self, address: str, **asked: str) -> str:
        if len(self.cooperatives) > 1:
            asked["cooperative"] = self.slug
        return f"{address}?{urlencode(asked)}" if asked else address


def desk_page(
    view: Callable[Concatenate[HttpRequest, Desk, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page for a cooperative's members, of their own cooperative only; others are shown the door politely."""

    @wraps(view)
    def asked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if session.person(request) is None:
            return _to_sign_in(request)
        try:
            cooperatives = ask(request, "DeskCooperatives")["myCooperatives"]
        except ApiRefused:
            if session.person(request) is None:
                return _to_sign_in(request)
            raise
        if not cooperatives:
            return render(request, "desk/no_cooperative.html", status=403)
        wanted = request.POST.get("cooperative") or request.GET.get("cooperative") or cooperatives[0]["slug"]
        for cooperative in cooperatives:
            if cooperative["slug"] == wanted:
                return view(request, Desk(cooperative, cooperatives), *args, **kwargs)
        raise Http404("not this person's cooperative")

    return never_cache(asked)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def counts(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Today's counts: one field a good; blank means unchanged."""
    supplies = _supplies(request, desk)
    if request.method != "POST":
        kept = request.session.pop(_KEPT_TYPED, {}).get(desk.slug, {})
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
    report = _report_or_404(request, report_id)
    first: Mapping[str, Any] = cache.get(f"desk-report:{report_id}") or {}
    supplies = _supplies(request, desk)
    failed = {
        line["supply"]["id"]: line
        for line in report["lines"]
        if line["outcome"] in {"REFUSED", "WAITING"} and line["supply"]
    }
    typed = {supply_id: Typed(*written) for supply_id, written in first.get("typed", {}).items()}
    changed = changes(report["lines"], before=first.get("before", {}))
    return render(
        request,
        "desk/saved.html",
        _frame(desk, "counts")
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
            ),
            "skipped": [line for line in report["lines"] if line["outcome"] == "SKIPPED"],
            "key": uuid.uuid4().hex,
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
        _frame(desk, "reports") | {"reports": drawn, "older": desk.older("desk:reports", connection)},
    )


@desk_page
@require_GET
def report(request: HttpRequest, desk: Desk, report_id: str) -> HttpResponse:
    """One report, row by row: what needs a person first."""
    found = _report_or_404(request, report_id)
    order = {"REFUSED": 0, "WAITING": 0, "SKIPPED": 1, "ACCEPTED": 1}
    lines = [
        line | {"figure": taken_over(line)}
        for line in sorted(found["lines"], key=lambda line: (order[line["outcome"]], line["row"]))
    ]
    return render(
        request,
        "desk/report.html",
        _frame(desk, "reports")
        | {
            "report": found,
            "open_lines": [line for line in lines if order[line["outcome"]] == 0],
            "other_lines": [line for line in lines if order[line["outcome"]] == 1],
        },
    )


@desk_page
@require_GET
def orders(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What to pick, and for whom: printable."""
    answer = ask(request, "DeskPackList", cooperative=desk.slug)["packList"]
    return render(
        request,
        "desk/orders.html",
        _frame(desk, "orders")
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
            "kept": bool(request.session.get(_KEPT_TYPED)),
        },
        status=422 if refused else 200,
    )


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Back to the sign-in."""
    session.sign_out(request)
    return HttpResponseRedirect(reverse("desk:sign_in"))


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Off to the sign-in; counts that were typed wait in the session until then."""
    if request.method == "POST":
        typed = {
            name: value for name, value in request.POST.items() if name.startswith(("quantity-", "unit-"))
        }
        request.session[_KEPT_TYPED] = {request.POST.get("cooperative", ""): typed}
        here = request.path
    else:
        here = request.get_full_path()
    return HttpResponseRedirect(f"{reverse('desk:sign_in')}?{urlencode({'next': here})}")


def _counting_form(
    request: HttpRequest,
    desk: Desk,
    *,
    supplies: list[Mapping[str, Any]],
    typed: Mapping[str, Typed],
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    drawn = fields(supplies, typed=typed)
    context = _frame(desk, "counts") | {
        "fields": drawn,
        "shortfalls": [field for field in drawn if field.shortfall],
        "notice": notice,
        "key": uuid.uuid4().hex,
    }
    return render(request, "desk/today.html", context, status=status)


def _frame(desk: Desk, tab: str) -> dict[str, Any]:
    """What every page of the desk shows around itself."""
    return {
        "desk": desk,
        "tab": tab,
        "counts_address": desk.address("desk:counts"),
        "orders_address": desk.address("desk:orders"),
        "reports_address": desk.address("desk:reports"),
    }


def _supplies(request: HttpRequest, desk: Desk) -> list[Mapping[str, Any]]:
    """All the goods of this desk, page by page."""
    found: list[Mapping[str, Any]] = []
    after = None
    while True:
        answer = ask(request, "DeskSupplies", cooperative=desk.slug, after=after)["supplies"]
        found.extend(edge["node"] for edge in answer["edges"])
        if not answer["pageInfo"]["hasNextPage"]:
            return found
        after = answer["pageInfo"]["endCursor"]


def _report_or_404(request: HttpRequest, report_id: str) -> Mapping[str, Any]:
    found = ask(request, "DeskReport", id=report_id)["stockReport"]
    if found is None:
        raise Http404("no such report")
    return dict(found)
