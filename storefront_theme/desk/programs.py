"""Tokens for the cooperative's own programs. For its managers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from storefront_theme.client import ApiRefused, ask
from storefront_theme.desk.door import Desk, desk_page, frame


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("token", "answer")
def programs(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The tokens that were issued; a new one is shown on the answer to its form, and never again."""
    context = frame(desk, "reports")
    token = notice = ""
    try:
        if request.method == "POST" and request.POST.get("revoke"):
            answer = ask(request, "DeskTokenRevoke", id=request.POST["revoke"])["stockTokenRevoke"]
            if not answer["errors"]:
                return HttpResponseRedirect(desk.address("desk:programs"))
            notice = " ".join(error["message"] for error in answer["errors"])
        elif request.method == "POST":
            answer = ask(request, "DeskTokenIssue", cooperative=desk.slug, name=request.POST.get("name", ""))[
                "stockTokenIssue"
            ]
            token = answer["token"] or ""
            notice = " ".join(error["message"] for error in answer["errors"])
        tokens = ask(request, "DeskTokens", cooperative=desk.slug)["stockTokens"]
    except ApiRefused:
        return render(request, "desk/managers_only.html", context, status=403)
    return render(
        request,
        "desk/programs.html",
        context
        | {
            "token": token,
            "notice": notice,
            "name": request.POST.get("name", "") if notice else "",
            "tokens": [each for each in tokens if not each["revokedAt"]],
            "revoked": [each for each in tokens if each["revokedAt"]],
            "api": request.build_absolute_uri("/graphql/"),
        },
        status=422 if notice else 200,
    )
