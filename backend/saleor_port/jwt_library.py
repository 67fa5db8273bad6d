"""PyJWT 2 with the face of PyJWT 1 that django-graphql-jwt 0.3 and saleor.account.utils expect.

PyJWT 1.7.1 would need none of this, and has an advisory (CVE-2022-29217): the new library it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import jwt

from backend.saleor_port.registry import Phase, Replace, patch


def _encode(payload: dict[str, Any], key: str, algorithm: str = "HS256", **options: Any) -> bytes:
    """PyJWT 1 answered bytes; every caller decodes them."""
    return jwt.encode(payload, key, algorithm=algorithm, **options).encode()


def _decode(token: str | bytes, key: str, verify: bool = True, **options: Any) -> dict[str, Any]:
    """PyJWT 1 took `verify` in third place; 2 has it among the options. It is never False here."""
    if not verify:
        raise ValueError("Tokens are always verified")
    return jwt.decode(token, key, **options)


pyjwt_1_face = SimpleNamespace(
    **{name: getattr(jwt, name) for name in jwt.__all__ if hasattr(jwt, name)}
    | {
        "encode": _encode,
        "decode": _decode,
        "ExpiredSignature": jwt.ExpiredSignatureError,
    }
)


@patch(
    name="jwt_library",
    reason="PyJWT 2.0: encode answers str, decode has no verify argument, ExpiredSignature is renamed",
    phase=Phase.AFTER,
)
def jwt_library() -> Iterator[Replace]:
    import graphql_jwt.utils
    import saleor.account.utils

    yield Replace(graphql_jwt.utils, "jwt", pyjwt_1_face)
    yield Replace(saleor.account.utils, "jwt", pyjwt_1_face)
