"""Who asks, and for which cooperative: a person who signed in, or a cooperative's own program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from graphql import ResolveInfo
from graphql_jwt.exceptions import PermissionDenied
from saleor.account.models import User

from backend.common.errors import ShopError
from backend.cooperatives.models import Cooperative, ProgramToken
from backend.cooperatives.selectors import may_act_for, may_manage
from backend.cooperatives.services import PREFIX, recognise_token

PROGRAMS_MAY = {
    "Query": frozenset(
        {"movements", "stockAlerts", "stockReport", "stockReports", "supplies", "supply", "waitingLines"}
    ),
    "Mutation": frozenset(
        {
            "stockLinesConfirm",
            "stockReportColumns",
            "stockReportConfirm",
            "stockReportDiscard",
            "stockReportRetry",
            "stockReportSubmit",
            "stockReportUndo",
            "stockReportUpload",
        }
    ),
}
"""All that a program's token opens; of its own cooperative only."""


class UnknownCooperative(ShopError):
    code = "unknown_cooperative"


# ---- People ---------------------------------------------------------------------------------------------------------


def signed_in(info: ResolveInfo) -> User:
    """The person behind the request. Raises PermissionDenied when there is none."""
    user = info.context.user
    if not user.is_authenticated:
        raise PermissionDenied(_("Please sign in."))
    return user


def own_cooperative(info: ResolveInfo, slug: str) -> Cooperative:
    """A cooperative that the signed-in person acts for; somebody else's is answered like one that does not exist."""
    user = signed_in(info)
    cooperative = _cooperative(slug)
    if cooperative is None or not may_act_for(user=user, cooperative=cooperative):
        raise _unknown()
    return cooperative


def managed_cooperative(info: ResolveInfo, slug: str) -> Cooperative:
    """A cooperative that the signed-in person manages. Raises PermissionDenied for a member who does not."""
    cooperative = own_cooperative(info, slug)
    if not may_manage(user=signed_in(info), cooperative=cooperative):
        raise PermissionDenied(_("Only a manager of the cooperative may do that."))
    return cooperative


# ---- People and programs --------------------------------------------------------------------------------------------


def program_of(info: ResolveInfo) -> ProgramToken | None:
    """The token of the cooperative's program that asks; None where a person does, or nobody."""
    return getattr(info.context, "program", None)


def reporter(info: ResolveInfo) -> User | None:
    """The person who reports; None for a program. Raises PermissionDenied where neither asks."""
    return None if program_of(info) is not None else signed_in(info)


def reporting_cooperative(info: ResolveInfo, slug: str) -> Cooperative:
    """A cooperative whose stock the sender may see and report."""
    program = program_of(info)
    if program is None:
        return own_cooperative(info, slug)
    if program.cooperative.slug != slug:
        raise _unknown()
    return program.cooperative


def may_report(info: ResolveInfo, *, cooperative: Cooperative) -> bool:
    """Whether the sender may see and report this cooperative's stock."""
    program = program_of(info)
    if program is not None:
        return program.cooperative_id == cooperative.pk
    return may_act_for(user=signed_in(info), cooperative=cooperative)


def let_program_in(request: HttpRequest) -> bool:
    """Put the cooperative's program that the Authorization header names on the request.

    Answers whether the header names one. Raises PermissionDenied for a token that opens nothing any more.
    """
    kind, _space, text = request.headers.get("Authorization", "").partition(" ")
    text = text.strip()
    if kind.lower() != "bearer" or not text.startswith(PREFIX):
        return False
    token = recognise_token(text=text, now=timezone.now())
    if token is None:
        raise TokenStale(_("This token opens nothing: it was revoked, or not quite copied."))
    # Neither a person nor one of Saleor's apps, so that whatever asks for those refuses it.
    request.program, request.user, request.app = token, AnonymousUser(), None  # type: ignore[attr-defined]  # beside Saleor's own
    return True


class TokenStale(ShopError):
    code = "token_stale"


def programs_only_report(next_: Callable[..., Any], root: Any, info: ResolveInfo, **arguments: Any) -> Any:
    """Around the resolvers of a program's request: nothing but PROGRAMS_MAY is answered."""
    allowed = PROGRAMS_MAY.get(info.parent_type.name)
    if allowed is not None and info.field_name not in allowed and not info.field_name.startswith("__"):
        raise PermissionDenied(_("This token reports a cooperative’s stock, and opens nothing else."))
    return next_(root, info, **arguments)


def _cooperative(slug: str) -> Cooperative | None:
    return Cooperative.objects.select_related("village").filter(slug=slug).first()


def _unknown() -> UnknownCooperative:
    return UnknownCooperative(_("There is no such cooperative among yours."))
