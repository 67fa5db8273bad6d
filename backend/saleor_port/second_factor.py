"""A second factor for the admin: six digits from an app on the phone (TOTP, RFC 6238), where STAFF_SECOND_FACTOR is on.

The app's secret is not stored: it is made from SECRET_KEY and a random nonce in the account's private metadata. Whoever
reads the database has no second factor; taking the nonce out (`deletePrivateMetadata`, by staff who manage staff) lets a
person who lost the phone set up a new one.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import segno
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from backend.saleor_port import attempts

NONCE = "second_factor"
"""Key in the private metadata of an account that has set up its app; and in a session: for which nonce it was shown."""

_PROPOSED = "second_factor_proposed"
STEP_S = 30


# ---- The six digits ----


def secret_of(*, user_id: int, nonce: str) -> bytes:
    """What the app knows: 20 bytes, as RFC 4226 recommends."""
    return salted_hmac(__name__, f"{user_id}:{nonce}", algorithm="sha256").digest()[:20]


def digits(*, secret: bytes, step: int) -> str:
    """The code of one half minute (RFC 4226, 5.3)."""
    mac = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 1_000_000:06d}"


def step_of(code: str, *, secret: bytes, now_s: float) -> int | None:
    """The half minute that the code is of: this one, the last or the next, since phones' clocks differ. Or None."""
    current = int(now_s // STEP_S)
    for step in (current, current - 1, current + 1):
        if hmac.compare_digest(digits(secret=secret, step=step).encode(), code.encode()):
            return step
    return None


# ---- The door ----


class SecondFactor:
    """Middleware: a member of staff who has shown a password only gets no further in the admin than to the digits."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            settings.STAFF_SECOND_FACTOR
            and _is_behind_the_door(request.path)
            and _has_only_a_password(request)
        ):
            here = urlencode({"next": request.get_full_path()})
            return HttpResponseRedirect(f"{reverse('second_factor')}?{here}")
        return self.get_response(request)


def _is_behind_the_door(path: str) -> bool:
    open_to_all = {reverse("second_factor"), reverse("admin:login"), reverse("admin:logout")}
    return path.startswith(reverse("admin:index")) and path not in open_to_all


def _has_only_a_password(request: HttpRequest) -> bool:
    user: Any = request.user
    if not user.is_authenticated:
        # The admin itself sends him to its sign-in page.
        return False
    nonce = _nonce_of(user)
    return not nonce or request.session.get(NONCE) != nonce


def _nonce_of(user: Any) -> str:
    return str((user.private_metadata or {}).get(NONCE, ""))


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Asks for the digits; shows the QR code first to somebody who has no app yet, and never again."""
    user: Any = request.user
    if not user.is_authenticated or not user.is_staff:
        return HttpResponseRedirect(reverse("admin:login"))
    nonce = _nonce_of(user)
    is_new = not nonce
    if is_new:
        nonce = request.session.setdefault(_PROPOSED, secrets.token_hex(16))
    secret = secret_of(user_id=user.pk, nonce=nonce)

    error = ""
    if request.method == "POST":
        error = _refusal(request, secret=secret)
        if not error:
            if is_new:
                user.store_value_in_private_metadata({NONCE: nonce})
                user.save(update_fields=["private_metadata"])
                del request.session[_PROPOSED]
            request.session.cycle_key()
            request.session[NONCE] = nonce
            return HttpResponseRedirect(_next_of(request))

    shown = {"qr": _qr(user, secret), "key": base64.b32encode(secret).decode()} if is_new else {}
    return render(
        request,
        "admin/second_factor.html",
        {"title": _("Second factor"), "error": error, "next": _next_of(request), **shown},
        status=422 if error else 200,
    )


def _refusal(request: HttpRequest, *, secret: bytes) -> str:
    """Why the code in the form opens nothing, or ''. A code is good once."""
    user: Any = request.user
    try:
        taken = attempts.take_password(account=f"second factor of {user.pk}", request=request)
    except ValidationError as too_many:
        return str(too_many.messages[0])
    code = "".join(request.POST.get("code", "").split())
    step = step_of(code, secret=secret, now_s=time.time())
    if step is None or not cache.add(f"second_factor:{user.pk}:{step}", 1, timeout=4 * STEP_S):
        return _("These digits are not right. Please type those that the app shows now.")
    attempts.give_back(taken)
    return ""


def _qr(user: Any, secret: bytes) -> str:
    """The address of a picture that an authenticator app reads."""
    issuer = settings.PUBLIC_HOST
    key = base64.b32encode(secret).decode()
    address = (
        f"otpauth://totp/{quote(f'{issuer}:{user.email}')}?{urlencode({'secret': key, 'issuer': issuer})}"
    )
    picture: str = segno.make(address, error="m").svg_data_uri(scale=5, light="white")
    return picture


def _next_of(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return reverse("admin:index")
