"""Runs a GraphQL document in process: the theme's way in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.datastructures import MultiValueDict
from graphene_django.settings import graphene_settings
from graphene_django.views import instantiate_middleware
from graphql import GraphQLError, ResolveInfo, Source, parse, validate
from graphql import execute as execute_document
from graphql.execution import ExecutionResult
from graphql.execution.executors.sync import SyncExecutor
from graphql.language.ast import Document
from saleor.core import middleware as saleor_middleware

from backend.api.errors import format_error
from backend.common.counting import times
from backend.common.freshness import Subject, Versions, keep, versions_and
from backend.saleor_port.client_address import client_address

__all__ = [
    "Answer",
    "Subject",
    "Versions",
    "client_address",
    "execute",
    "keep",
    "middleware",
    "times",
    "versions_and",
]


@dataclass(frozen=True)
class Answer:
    """What came back. data is None when nothing could be run; errors are as GraphQL states them."""

    data: dict[str, Any] | None
    errors: tuple[dict[str, Any], ...]


class _InProcessRequest(HttpRequest):
    """The context of an operation that came over no wire: addresses of pictures stay relative."""

    def __init__(self, *, authorization: str, address: str, files: Mapping[str, UploadedFile]) -> None:
        super().__init__()
        self.method = "POST"
        self.FILES = MultiValueDict({name: [file] for name, file in files.items()})
        self.path = self.path_info = reverse("api")
        self.META = {"REMOTE_ADDR": address}
        if authorization:
            self.META["HTTP_AUTHORIZATION"] = authorization
        self.user = AnonymousUser()

    def build_absolute_uri(self, location: str | None = None) -> str:
        return location or self.path


def execute(
    *,
    query: str,
    operation_name: str,
    variables: Mapping[str, Any] | None = None,
    authorization: str = "",
    language: str = "zh-hans",
    address: str = "",
    files: Mapping[str, UploadedFile] | None = None,
) -> Answer:
    """Run one operation as the person that `authorization` names ("JWT …"), or as nobody.

    address: the visitor's, as client_address tells it; how often a password may be tried is counted by it.
    files: by the name that the variable of type Upload has, as Saleor's resolvers look them up.

    Every document is parsed and validated once in a process and kept: call this with named documents only, never
    with text that a visitor wrote.
    """
    document = _document(query)

    def run(request: HttpRequest) -> ExecutionResult:
        return execute_document(
            _schema(),
            document,
            operation_name=operation_name,
            variable_values=dict(variables or {}),
            context_value=request,
            middleware=middleware(),
            executor=SyncExecutor(),
        )

    handler: Any = run
    # The same middleware, in the same order, as for the API's own requests: settings.MIDDLEWARE.
    for layer in (
        saleor_middleware.plugins,
        saleor_middleware.site,
        saleor_middleware.currency,
        saleor_middleware.country,
        saleor_middleware.discounts,
        saleor_middleware.request_time,
    ):
        handler = layer(handler)
    with translation.override(language):
        result = handler(_InProcessRequest(authorization=authorization, address=address, files=files or {}))
        errors = tuple(format_error(error) for error in result.errors or ())
    return Answer(data=result.data, errors=errors)


@lru_cache(maxsize=256)
def _document(query: str) -> Document:
    document = parse(Source(query, "document"))
    problems = validate(_schema(), document)
    if problems:
        raise GraphQLError("\n".join(str(problem) for problem in problems))
    return document


@lru_cache(maxsize=1)
def _schema() -> Any:
    from backend.api.schema import schema

    return schema


@cache
def middleware(*, is_program: bool = False) -> Any:
    """Saleor's own around every resolver: who asks. Made once; nothing in it belongs to a request.

    is_program: for a cooperative's program, which may do nothing but report.
    """
    from graphql import MiddlewareManager

    from backend.api.permissions import programs_only_report

    layers: list[Any] = [_once_known(list(instantiate_middleware(graphene_settings.MIDDLEWARE)))]
    return MiddlewareManager(*layers, *([programs_only_report] if is_program else []), wrap_in_promise=False)


def _once_known(layers: list[Any]) -> Callable[..., Any]:
    """The layers around resolvers until they have found out who asks; from then on, the resolver alone.

    They look at nothing but the request, and are around each of a thousand fields.
    """

    def who_asks(next_: Callable[..., Any], root: Any, info: ResolveInfo, **arguments: Any) -> Any:
        context = info.context
        if getattr(context, "who_asks_is_known", False):
            return next_(root, info, **arguments)

        def known(root: Any, info: ResolveInfo, **arguments: Any) -> Any:
            context.who_asks_is_known = True
            return next_(root, info, **arguments)

        resolve = known
        for layer in layers:
            resolve = partial(getattr(layer, "resolve", layer), resolve)
        return resolve(root, info, **arguments)

    return who_asks
