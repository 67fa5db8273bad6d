"""Tokens for a cooperative's own programs: issued, recognised, revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User

from backend.common.errors import ShopError
from backend.cooperatives.models import Cooperative, ProgramToken

PREFIX = "xycl_"
"""What every token begins with, so that it is told from Saleor's, and found by who searches a repository for it."""

MOST_TOKENS = 10
_USED_EVERY = timedelta(minutes=1)


class TokenRefused(ShopError):
    code = "token_refused"


def issue_token(
    *, cooperative: Cooperative, name: str, issued_by: User | None, now: datetime
) -> tuple[ProgramToken, str]:
    """A new token, and its text, which nobody can be shown a second time. Raises TokenRefused."""
    name = " ".join(name.replace("\x00", "").split())
    if not 1 <= len(name) <= 60:
        raise TokenRefused(_("Please name the program, in 1 to 60 characters."), code="name_invalid")
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        # Two taps at once are counted one after the other.
        Cooperative.objects.select_for_update(of=("self",)).get(pk=cooperative.pk)
        if cooperative.program_tokens.filter(revoked_at__isnull=True).count() >= MOST_TOKENS:
            raise TokenRefused(
                _("There are ten tokens already. Revoke one that is no longer needed."),
                code="too_many_tokens",
            )
        token = ProgramToken.objects.create(
            cooperative=cooperative,
            name=name,
            sha256=_sha256(text),
            ending=text[-4:],
            issued_by=issued_by,
            issued_at=now,
        )
    return token, text


def recognise_token(*, text: str, now: datetime) -> ProgramToken | None:
    """The token that has this text, if it still opens something; when it was last used is kept to the minute."""
    token = (
        ProgramToken.objects.filter(
            sha256=_sha256(text), revoked_at__isnull=True, cooperative__is_active=True
        )
        .select_related("cooperative__village")
        .first()
    )
    if token is not None:
        ProgramToken.objects.filter(
            Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - _USED_EVERY), pk=token.pk
        ).update(last_used_at=now)
    return token


def revoke_token(*, token: ProgramToken, now: datetime) -> ProgramToken:
    """From now on it opens nothing. A second time changes nothing."""
    ProgramToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)
    token.refresh_from_db()
    return token


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
