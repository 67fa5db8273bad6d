"""How often passwords may be tried and mails be asked for: by account and by address, counted in Redis.

A bucket holds so many attempts and gets one back every so many seconds (settings.ATTEMPTS). An attempt is taken before
the password is looked at, or a hundred at once would all find the bucket full, and given back when it was right.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import redis
import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from backend.saleor_port.client_address import client_address, network_of
from backend.saleor_port.registry import Replace, patch

log = structlog.get_logger(__name__)

TOO_MANY_ATTEMPTS = "too_many_attempts"


class Bucket(StrEnum):
    """What is counted; the names are those in settings.ATTEMPTS."""

    PASSWORD_OF_ACCOUNT = "password_of_account"  # noqa: S105  (a name)
    PASSWORD_FROM_ADDRESS = "password_from_address"  # noqa: S105  (a name)
    MAIL_TO_ACCOUNT = "mail_to_account"
    MAIL_FROM_ADDRESS = "mail_from_address"
    TRACE_CODE_FROM_ADDRESS = "trace_code_from_address"
    CLAIM_OF_ORDER = "claim_of_order"
    CLAIM_FROM_ADDRESS = "claim_from_address"
    WAIT_FROM_ADDRESS = "wait_from_address"
    PROMO_CODE_FROM_ADDRESS = "promo_code_from_address"
    REQUEST_OF_PROGRAM = "request_of_program"


class TooManyAttempts(ValidationError):
    """Says how long to wait; forms and Saleor's mutations show it as their own. wait_s: in seconds."""

    def __init__(self, message: str, *, wait_s: int) -> None:
        super().__init__(message, code=TOO_MANY_ATTEMPTS)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Taken:
    """What has been taken, to be given back: (key, seconds until one attempt is regained)."""

    from_buckets: tuple[tuple[str, float], ...] = ()


# A bucket is kept as the moment at which it will be full again; the key vanishes at that moment.
_TAKE = """
local now = tonumber(ARGV[1])
local wait = 0
local full_at = {}
for i, key in ipairs(KEYS) do
  local burst, regained = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  full_at[i] = math.max(tonumber(redis.call('GET', key) or '0'), now) + regained
  wait = math.max(wait, full_at[i] - now - burst * regained)
end
if wait > 0.001 then return tostring(wait) end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.3f', full_at[i]), 'PX', math.ceil((full_at[i] - now) * 1000))
end
return '0'
"""
_GIVE_BACK = """
local now = tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  local full_at = tonumber(redis.call('GET', key) or '0') - tonumber(ARGV[i + 1])
  if full_at > now then
    redis.call('SET', key, string.format('%.3f', full_at), 'PX', math.ceil((full_at - now) * 1000))
  else
    redis.call('DEL', key)
  end
end
"""


def take_password(*, account: str, request: HttpRequest | None) -> Taken:
    """Before a password of this account is tried. Raises TooManyAttempts."""
    return _take(
        {
            Bucket.PASSWORD_OF_ACCOUNT: account.casefold(),
            Bucket.PASSWORD_FROM_ADDRESS: _network(request),
        }
    )


def take_mail(*, account: str, request: HttpRequest | None) -> Taken:
    """Before a mail is sent to this account on somebody's word. Raises TooManyAttempts."""
    return _take({Bucket.MAIL_TO_ACCOUNT: account.casefold(), Bucket.MAIL_FROM_ADDRESS: _network(request)})


def take_claim(*, order: str, request: HttpRequest | None) -> Taken:
    """Before the photos of a claim on this order are looked at. Raises TooManyAttempts."""
    return _take({Bucket.CLAIM_OF_ORDER: order, Bucket.CLAIM_FROM_ADDRESS: _network(request)})


def take_from_address(*, bucket: Bucket, request: HttpRequest | None) -> Taken:
    """Before something costly is done for an address, whoever it is about. Raises TooManyAttempts."""
    return _take({bucket: _network(request)})


def take_program(*, program: int, operations: int) -> Taken:
    """Before a program's operations run, each of which counts; program: its token's key. Raises TooManyAttempts.

    While Redis is away nobody counts: what is in the shed matters more.
    """
    try:
        return _take({Bucket.REQUEST_OF_PROGRAM: str(program)}, times=operations)
    except redis.RedisError as error:
        log.warning("program not counted", error=type(error).__name__)
        return Taken()


def give_back(taken: Taken) -> None:
    """The attempt was right: it does not count."""
    if taken.from_buckets:
        _script(_GIVE_BACK)(
            keys=[key for key, _regained_s in taken.from_buckets],
            args=[time.time(), *(regained_s for _key, regained_s in taken.from_buckets)],
        )


def _network(request: HttpRequest | None) -> str:
    return network_of(client_address(request)) if request is not None else ""


def _take(subjects: dict[Bucket, str], *, times: int = 1) -> Taken:
    """So many attempts of each bucket, or none of any. An unknown subject ('') is not counted."""
    counted = {bucket: subject for bucket, subject in subjects.items() if subject}
    if not counted:
        return Taken()
    # Nobody reads in Redis who tried to sign in.
    keys = [
        f"attempts:{bucket}:{salted_hmac(__name__, subject).hexdigest()[:32]}"
        for bucket, subject in counted.items()
    ]
    # Several at once are one that is as dear.
    allowed = [
        (burst / times, regained_s * times)
        for burst, regained_s in (settings.ATTEMPTS[str(bucket)] for bucket in counted)
    ]
    wait_s = float(
        _script(_TAKE)(keys=keys, args=[time.time(), *(part for pair in allowed for part in pair)])
    )
    if wait_s > 0:
        log.warning("too many attempts", buckets=[str(bucket) for bucket in counted], wait_s=round(wait_s))
        raise TooManyAttempts(
            _("Too many attempts. Please try again in %(minutes)d min.")
            % {"minutes": math.ceil(wait_s / 60)},
            wait_s=math.ceil(round(wait_s, 2)),
        )
    return Taken(tuple((key, regained_s) for key, (_burst, regained_s) in zip(keys, allowed, strict=True)))


@lru_cache(maxsize=4)
def _script(text: str) -> Any:
    client = redis.Redis.from_url(
        settings.ENVIRONMENT.redis.cache_url, socket_connect_timeout=2, socket_timeout=5
    )
    return client.register_script(text)


@patch(
    name="attempt_limits",
    reason="passwords and mails may be asked for without end, by anybody, of any account",
)
def attempt_limits() -> Iterator[Replace]:
    from saleor.account.error_codes import AccountErrorCode
    from saleor.checkout.error_codes import CheckoutErrorCode
    from saleor.graphql.account.mutations import account, base
    from saleor.graphql.core.utils import error_codes

    # A member for the enums of error codes, before the schema is built of them.
    for codes in (AccountErrorCode, CheckoutErrorCode):
        yield from _with_member(codes)
    yield Replace(error_codes, "saleor_error_codes", [*error_codes.saleor_error_codes, TOO_MANY_ATTEMPTS])

    def own_password(info: Any, **_data: Any) -> Taken:
        return take_password(account=info.context.user.email, request=info.context)

    def mail_to_self(info: Any, **_data: Any) -> Taken:
        return take_mail(account=info.context.user.email, request=info.context)

    def mail_to_anybody(info: Any, email: str = "", **_data: Any) -> Taken:
        return take_mail(account=email, request=info.context)

    def registration(info: Any, input: dict[str, Any], **_data: Any) -> Taken:
        if settings.ENABLE_ACCOUNT_CONFIRMATION_BY_EMAIL:
            return take_mail(account=input.get("email", ""), request=info.context)
        return take_from_address(bucket=Bucket.MAIL_FROM_ADDRESS, request=info.context)

    yield _limited(base.PasswordChange, own_password, returned=True)
    yield _limited(account.RequestEmailChange, own_password, returned=True)
    yield _limited(account.AccountRequestDeletion, mail_to_self)
    yield _limited(base.RequestPasswordReset, mail_to_anybody)
    yield _limited(account.AccountRegister, registration)


def _with_member(codes: Any) -> Iterator[Replace]:
    """An enum of Saleor's with TOO_MANY_ATTEMPTS in it."""
    member: Any = object.__new__(codes)
    member._name_, member._value_ = TOO_MANY_ATTEMPTS.upper(), TOO_MANY_ATTEMPTS
    member.__objclass__ = codes
    yield Replace(codes, "_member_names_", [*codes._member_names_, member.name])
    yield Replace(codes._member_map_, member.name, member)
    yield Replace(codes._value2member_map_, member.value, member)


def _limited(mutation: Any, take: Callable[..., Taken], *, returned: bool = False) -> Replace:
    """The mutation, with an attempt taken before it. returned: given back when the mutation says no word against it."""
    plain = mutation.perform_mutation.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of the mutation
    def perform_mutation(cls: Any, root: Any, info: Any, **data: Any) -> Any:
        taken = take(info, **data)
        answer = plain(cls, root, info, **data)
        if returned:
            give_back(taken)
        return answer

    return Replace(mutation, "perform_mutation", perform_mutation)
