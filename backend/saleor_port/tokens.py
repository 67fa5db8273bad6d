"""Tokens of the API: short-lived, renewed for two weeks, dead with a new password and with deactivation.

Two kinds, told apart by `use`: an access token opens the API for half an hour (GRAPHQL_JWT); a refresh token, which
tokenCreate gives beside it, opens nothing and is exchanged for a new access token by tokenRefresh. An access token that
has not run out can be exchanged, too, as clients of Saleor 2.10 do.
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from backend.saleor_port.registry import Replace, patch

ACCESS = "access"
REFRESH = "refresh"


def fragment(user: Any) -> str:
    """What a token carries of the hash of the password, which cannot be computed back."""
    return salted_hmac(__name__, user.password).hexdigest()[:32]


def access_payload(user: Any, context: Any = None) -> dict[str, Any]:
    """GRAPHQL_JWT's JWT_PAYLOAD_HANDLER."""
    from saleor.graphql.utils import create_jwt_payload

    payload: dict[str, Any] = create_jwt_payload(user, context)
    return payload | {"use": ACCESS, "fragment": fragment(user)}


def refresh_token(user: Any) -> str:
    """A token for tokenRefresh alone."""
    from graphql_jwt.settings import jwt_settings
    from graphql_jwt.utils import jwt_encode

    now = timezone.now()
    token: str = jwt_encode(
        access_payload(user)
        | {
            "use": REFRESH,
            "origIat": timegm(now.utctimetuple()),
            "exp": now + jwt_settings.JWT_REFRESH_EXPIRATION_DELTA,
        }
    )
    return token


@patch(
    name="token_lifetime",
    reason="a token outlives the password it was given for, and opens the account of whoever gets its e-mail address",
)
def token_lifetime() -> Iterator[Replace]:
    from graphql_jwt import mixins, mutations, shortcuts, utils

    opens = _user_of(utils.get_user_by_payload, uses={ACCESS})
    # Authentication looks it up in shortcuts, tokenRefresh in mixins.
    yield Replace(utils, "get_user_by_payload", opens)
    yield Replace(shortcuts, "get_user_by_payload", opens)
    yield Replace(mixins, "get_user_by_payload", _user_of(mixins.get_user_by_payload, uses={ACCESS, REFRESH}))

    plain_payload = mutations.get_payload

    def get_payload(token: str, context: Any = None) -> dict[str, Any]:
        payload: dict[str, Any] = plain_payload(token, context)
        opens(payload)
        return payload

    # tokenVerify looks at the signature and at the time alone.
    yield Replace(mutations, "get_payload", get_payload)


def _user_of(plain: Callable[[Any], Any], *, uses: Collection[str]) -> Callable[[dict[str, Any]], Any]:
    """get_user_by_payload, for tokens of these uses and of the password that the user has now."""
    import graphene
    from graphql_jwt.exceptions import JSONWebTokenError

    def get_user_by_payload(payload: dict[str, Any]) -> Any:
        user = plain(payload)
        is_live = (
            user is not None
            and payload.get("use") in uses
            and payload.get("user_id") == graphene.Node.to_global_id("User", user.pk)
            and constant_time_compare(str(payload.get("fragment")), fragment(user))
        )
        if not is_live:
            raise JSONWebTokenError(_("Please sign in again."))
        return user

    return get_user_by_payload
