"""What a label's QR code leads to: the lot, its field and its day, its certificate, and whether it was recalled."""

from __future__ import annotations

import io
import re
from typing import Any

import segno
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from backend.api.executor import Subject
from storefront_theme.caching import kept_page
from storefront_theme.client import ApiError, ask
from storefront_theme.town.board import MAP_HEIGHT, MAP_WIDTH, draw_map

TRACE_CODE = re.compile(r"[0-9a-f]{15}")
TOO_MANY = "TOO_MANY_ATTEMPTS"

BASES = {
    "INTERNAL_CONTROL": lambda: _("the grower’s own quality control"),
    "OWN_TEST": lambda: _("the grower’s own test"),
    "COMMISSIONED_TEST": lambda: _("a commissioned test"),
}


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """A field for the code, for whoever cannot read a QR code just now."""
    typed = request.GET.get("code", "")
    if not typed:
        return render(request, "shop/trace_find.html", {"here": "trace"})
    code = _tidied(typed)
    if not TRACE_CODE.fullmatch(code):
        return _unknown(request, typed)
    return redirect("shop:lot", code=code)


@kept_page(Subject.CATALOGUE, Subject.BRAND)
@require_safe
def lot(request: HttpRequest, code: str) -> HttpResponse:
    """One lot. A recalled one says so before anything else."""
    if code != _tidied(code) and TRACE_CODE.fullmatch(_tidied(code)):
        return redirect("shop:lot", code=_tidied(code))
    if not TRACE_CODE.fullmatch(code):
        return _unknown(request, code)
    try:
        answer = ask(request, "Lot", code=code)
    except ApiError as error:
        if error.code != TOO_MANY:
            raise
        return render(request, "shop/trace_find.html", {"here": "trace", "too_many": True}, status=429)
    found = answer["lot"]
    if found is None:
        return _unknown(request, code)
    village = found["cooperative"]["village"]["slug"]
    return render(
        request,
        "shop/lot.html",
        {
            "here": "trace",
            "lot": found,
            "basis": BASES[found["certificateBasis"]]() if found["certificateBasis"] else "",
            "grouped": " ".join(code[start : start + 5] for start in range(0, len(code), 5)),
            "places": draw_map(villages=answer["villages"], weights=None),
            "grown_in": village,
            "map_width": MAP_WIDTH,
            "map_height": MAP_HEIGHT,
            "structured": _structured(found),
            "is_demo": found["isDemo"],
        },
    )


@require_safe
def label(_request: HttpRequest, code: str) -> HttpResponse:
    """The QR code of a lot's page, to be printed. It holds the address and nothing else, so no lot is looked up."""
    if not TRACE_CODE.fullmatch(code):
        raise Http404(code)
    drawn = io.BytesIO()
    # M: still readable with a seventh of it scratched off. Capitals would need fewer dots, but no server is sure of them.
    segno.make(address_of(code), error="m").save(
        drawn,
        kind="svg",
        border=4,
        dark="#1f2a24",
        light="#ffffff",
        svgclass=None,
        lineclass=None,
        omitsize=True,
    )
    response = HttpResponse(drawn.getvalue(), content_type="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def address_of(code: str) -> str:
    """What stands in the QR code."""
    return f"{settings.PUBLIC_URL}{reverse('shop:lot', args=[code])}"


def _tidied(typed: str) -> str:
    return re.sub(r"[^0-9a-z]", "", typed.strip().lower())


def _unknown(request: HttpRequest, typed: str) -> HttpResponse:
    return render(
        request, "shop/trace_find.html", {"here": "trace", "unknown": True, "typed": typed[:40]}, status=404
    )


def _structured(found: dict[str, Any]) -> dict[str, Any]:
    """schema.org's product of one lot."""
    return {
        "@context": "https://schema.org",
        "@type": "IndividualProduct",
        "name": found["productName"],
        "serialNumber": found["code"],
        "url": address_of(found["traceCode"]),
        "productionDate": found["harvestedOn"],
        "countryOfOrigin": "CN",
        "manufacturer": {
            "@type": "Organization",
            "name": found["cooperative"]["name"],
            "url": f"{settings.PUBLIC_URL}{reverse('shop:cooperative', args=[found['cooperative']['slug']])}",
        },
    }
