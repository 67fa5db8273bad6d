"""The way onto the desk: who may come in, whose desk it is, and what every page shows around itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from storefront_theme import session
from storefront_theme.client import ApiError, ApiRefused, ask

KEPT_TYPED = "desk_typed"
"""Where the session keeps counts that were typed while the sign-in ran out."""

PAGE_OF_A_BUTTON = re.compile(r"(/reports/[^/]+/)(?:undo|failed)/(?=\?|$)")
"""Addresses that answer to a button and to nothing else, and the page that the button is on."""

NO_SUCH_PLACE = {"CURSOR_UNREADABLE", "UNREADABLE_VALUE"}
"""What the API says of a page of a list, or of a code, that cannot be."""

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
                try:
                    return view(request, Desk(cooperative, cooperatives), *args, **kwargs)
                except ApiError as error:
                    if error.code in NO_SUCH_PLACE:
                        raise Http404("an address that somebody shortened, or made up") from error
                    raise
        raise Http404("not this person's cooperative")

    return never_cache(asked)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Off to the sign-in; counts that were typed wait in the session until then."""
    if request.method == "POST":
        typed = {
            name: value
            for name, value in request.POST.items()
            if name.startswith(("quantity-", "sold-", "unit-"))
        }
        if any(value for name, value in typed.items() if not name.startswith("unit-")):
            request.session[KEPT_TYPED] = {request.POST.get("cooperative", ""): typed}
    here = PAGE_OF_A_BUTTON.sub(r"\1", request.get_full_path())
    return HttpResponseRedirect(f"{reverse('desk:sign_in')}?{urlencode({'next': here})}")


def frame(desk: Desk, tab: str) -> dict[str, Any]:
    """What every page of the desk shows around itself."""
    return {
        "desk": desk,
        "tab": tab,
        "counts_address": desk.address("desk:counts"),
        "orders_address": desk.address("desk:orders"),
        "reports_address": desk.address("desk:reports"),
        "upload_address": desk.address("desk:upload"),
        "waiting_address": desk.address("desk:waiting"),
        "programs_address": desk.address("desk:programs"),
    }


def supplies_of(request: HttpRequest, desk: Desk) -> list[Mapping[str, Any]]:
    """All the goods of this desk, page by page."""
    found: list[Mapping[str, Any]] = []
    after = None
    while True:
        answer = ask(request, "DeskSupplies", cooperative=desk.slug, after=after)["supplies"]
        found.extend(edge["node"] for edge in answer["edges"])
        if not answer["pageInfo"]["hasNextPage"]:
            return found
        after = answer["pageInfo"]["endCursor"]


def report_or_404(request: HttpRequest, desk: Desk, report_id: str) -> Mapping[str, Any]:
    """A report of this desk's cooperative: another one's does not appear under its name, whoever is asking."""
    found = ask(request, "DeskReport", id=report_id)["stockReport"]
    if found is None or found["cooperative"]["slug"] != desk.slug:
        raise Http404("no such report")
    return dict(found)
