"""What the session remembers of a visitor: the API's tokens and a name. Never in a cookie."""

from __future__ import annotations

import base64
import binascii
import json
import time
from dataclasses import asdict, dataclass

from django.http import HttpRequest

_ACCESS = "api_access"
_REFRESH = "api_refresh"
_PERSON = "person"

RENEWED_BEFORE_S = 10 * 60
"""A token that ends sooner than this is exchanged for a new one first."""


@dataclass(frozen=True)
class Person:
    """Who is signed in, as pages greet them. name: may be empty."""

    email: str
    name: str
    is_staff: bool

    @property
    def called(self) -> str:
        """The name, or what stands before the @."""
        return self.name or self.email.partition("@")[0]


def token(request: HttpRequest) -> str:
    """The API's token, or ''."""
    return str(request.session.get(_ACCESS, ""))


def refresh_token(request: HttpRequest) -> str:
    """What a new token is to be had for, or '' while the one at hand is good for a while, or there is none."""
    ends_at = _end_of(token(request))
    if ends_at is None or ends_at - time.time() > RENEWED_BEFORE_S:
        return ""
    return str(request.session.get(_REFRESH, ""))


def _end_of(api_token: str) -> float | None:
    """When the token ends, in seconds since 1970: a JWT says so itself. None for one that does not."""
    payload = api_token.split(".")[1:2]
    try:
        return float(json.loads(base64.urlsafe_b64decode(payload[0] + "=="))["exp"])
    except (LookupError, TypeError, ValueError, binascii.Error):
        return None


def person(request: HttpRequest) -> Person | None:
    """Who is signed in, or None."""
    kept = request.session.get(_PERSON)
    return Person(**kept) if kept and token(request) else None


def remember(request: HttpRequest, *, token: str, person: Person, refresh_token: str = "") -> None:
    """The session gets a new key, so that a key planted before the sign-in opens nothing.

    A guest's basket stays; what somebody else had left in this session does not.
    """
    if request.session.get(_ACCESS):
        request.session.flush()
    request.session.cycle_key()
    request.session[_ACCESS] = token
    request.session[_REFRESH] = refresh_token
    request.session[_PERSON] = asdict(person)


def renew(request: HttpRequest, *, token: str) -> None:
    """The same visitor, with a new token."""
    request.session[_ACCESS] = token


def forget(request: HttpRequest) -> None:
    """Forget who was here and all that they did: their basket is theirs, and waits for their next sign-in."""
    request.session.flush()
