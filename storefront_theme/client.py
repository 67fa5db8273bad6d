"""The theme's only way to the shop's data: named GraphQL documents, in process or over HTTP.

One operation a file in documents/, named as its operation, so that the same files can be the list of what an
anonymous client may run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from backend.api.executor import client_address, execute
from storefront_theme import visitor

DOCUMENTS = Path(__file__).resolve().parent / "documents"
HTTP_TIMEOUT_S = 10.0

# What Saleor and its JWT library call a token that no longer opens anything.
_STALE_TOKEN_CODES = {
    "ExpiredSignature",
    "ExpiredSignatureError",
    "InvalidTokenError",
    "JSONWebTokenError",
    "JSONWebTokenExpired",
}
_REFUSED_CODES = {
    "PermissionDenied",
    "PERMISSION_DENIED",
    "FORBIDDEN",
    "NOT_SIGNED_IN",
    "NOT_ALLOWED",
}


class ApiError(Exception):
    """The API answered with errors that a page cannot show beside a field. code: the first one's, or ""."""

    def __init__(self, said: str = "", *, code: str = "") -> None:
        super().__init__(said)
        self.code = code


class ApiUnavailable(ApiError):
    """Nobody answered, or not with an answer."""


class ApiRefused(ApiError):
    """This person may not see that: signed out, or somebody else's."""


@cache
def document(operation: str) -> str:
    """The text of documents/<operation>.graphql.

    Raises ValueError when the file does not hold exactly the operation that its name says.
    """
    text = (DOCUMENTS / f"{operation}.graphql").read_text(encoding="utf-8")
    found = re.findall(r"^(?:query|mutation)\s+(\w+)", text, re.MULTILINE)
    if found != [operation]:
        raise ValueError(f"documents/{operation}.graphql holds {found}, not {operation}")
    return text


def ask(request: HttpRequest, operation: str, /, **variables: Any) -> dict[str, Any]:
    """Run a named document for the visitor and return its data.

    A file goes where its variable, of type Upload, stands; a list of files where one of [Upload!] does.
    `$language` (LanguageCodeEnum) is filled in where the document declares it. A token that is about to run out is
    exchanged first; one that opens nothing any more is forgotten and the visitor goes on as a guest. Raises ApiRefused, ApiUnavailable or ApiError.
    """
    query = document(operation)
    language = language_of(request)
    if "$language:" in query:
        variables.setdefault("language", language.upper().replace("-", "_"))
    token = _token(request)
    data, errors = _answer(
        query=query,
        operation=operation,
        variables=variables,
        token=token,
        language=language,
        address=client_address(request),
    )
    if token and _STALE_TOKEN_CODES & set(map(_code, errors)):
        visitor.forget(request)
        data, errors = _answer(
            query=query,
            operation=operation,
            variables=variables,
            token="",
            language=language,
            address=client_address(request),
        )
    if errors:
        _raise(operation, errors)
    if data is None:
        raise ApiUnavailable(f"{operation}: an empty answer")
    return data


def language_of(request: HttpRequest) -> str:
    """zh-hans or en: what choose_language decided, the default for a request that never passed it."""
    return str(getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE)).lower()


def _token(request: HttpRequest) -> str:
    """The visitor's token, a new one where the old one is about to run out."""
    refresh_token = visitor.refresh_token(request)
    if not refresh_token:
        return visitor.token(request)
    data, errors = _answer(
        query=document("RefreshSignIn"),
        operation="RefreshSignIn",
        variables={"refreshToken": refresh_token},
        token="",
        language=language_of(request),
        address=client_address(request),
    )
    renewed = ((data or {}).get("tokenRefresh") or {}).get("token")
    if renewed:
        visitor.renew(request, token=renewed)
    elif _STALE_TOKEN_CODES & set(map(_code, errors)):
        visitor.forget(request)
    return visitor.token(request)


def _answer(
    *,
    query: str,
    operation: str,
    variables: Mapping[str, Any],
    token: str,
    language: str,
    address: str,
) -> tuple[dict[str, Any] | None, tuple[dict[str, Any], ...]]:
    authorization = f"JWT {token}" if token else ""
    variables, files = _apart(variables)
    if settings.STOREFRONT_API_URL:
        return _over_http(
            query=query,
            operation=operation,
            variables=variables,
            authorization=authorization,
            language=language,
            address=address,
            files=files,
        )
    answer = execute(
        query=query,
        operation_name=operation,
        variables=variables,
        authorization=authorization,
        language=language,
        address=address,
        files=files,
    )
    return answer.data, tuple(answer.errors)


def _apart(variables: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, UploadedFile]]:
    """Variables, and the files by name. Where a file stands, also in a list, the API reads the name it came under."""
    plain: dict[str, Any] = {}
    files: dict[str, UploadedFile] = {}
    for name, value in variables.items():
        if isinstance(value, UploadedFile):
            plain[name], files[name] = name, value
        elif isinstance(value, list) and value and all(isinstance(each, UploadedFile) for each in value):
            numbered = {f"{name}.{number}": each for number, each in enumerate(value)}
            plain[name] = list(numbered)
            files |= numbered
        else:
            plain[name] = value
    return plain, files


def _over_http(
    *,
    query: str,
    operation: str,
    variables: Mapping[str, Any],
    authorization: str,
    language: str,
    address: str,
    files: Mapping[str, UploadedFile],
) -> tuple[dict[str, Any] | None, tuple[dict[str, Any], ...]]:
    headers = {"Accept-Language": language}
    if address:
        # Believed where this machine is one of the API's TRUSTED_PROXIES.
        headers["X-Forwarded-For"] = address
    if authorization:
        headers["Authorization"] = authorization
    try:
        response = httpx.post(
            settings.STOREFRONT_API_URL,
            **_body({"query": query, "operationName": operation, "variables": dict(variables)}, files=files),
            headers=headers,
            timeout=HTTP_TIMEOUT_S,
        )
        body = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ApiUnavailable(f"{operation}: {error}") from error
    if not isinstance(body, dict):
        raise ApiUnavailable(f"{operation}: status {response.status_code} without a GraphQL answer")
    return body.get("data"), tuple(body.get("errors") or ())


def _body(asked: dict[str, Any], *, files: Mapping[str, UploadedFile]) -> dict[str, Any]:
    """httpx's arguments: JSON, or with files a multipart request as Saleor's clients send it."""
    if not files:
        return {"json": asked}
    # The names in place of the files become nulls, by the specification of such requests.
    asked["variables"] |= {
        name: [None] * len(value) if isinstance(value, list) else None
        for name, value in asked["variables"].items()
        if name in files or f"{name}.0" in files
    }
    return {
        "data": {
            "operations": json.dumps(asked),
            "map": json.dumps({name: [f"variables.{name}"] for name in files}),
        },
        "files": {name: (file.name, file.file) for name, file in files.items()},
    }


def _code(error: Mapping[str, Any]) -> str:
    extensions = error.get("extensions") or {}
    return str(extensions.get("code") or (extensions.get("exception") or {}).get("code") or "")


def _raise(operation: str, errors: tuple[dict[str, Any], ...]) -> None:
    said = "; ".join(f"{_code(error)}: {error.get('message')}" for error in errors)
    if _REFUSED_CODES & set(map(_code, errors)):
        raise ApiRefused(f"{operation}: {said}")
    raise ApiError(f"{operation}: {said}", code=_code(errors[0]))
