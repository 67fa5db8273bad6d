"""POST /graphql/: what came over the wire, held to the limits and run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from graphql import GraphQLError, Source, parse
from graphql import execute as execute_document
from graphql.execution import ExecutionResult
from graphql.execution.executors.sync import SyncExecutor
from graphql.language.ast import Document, OperationDefinition
from graphql.type.schema import GraphQLSchema
from graphql_jwt.exceptions import JSONWebTokenError
from saleor.account.models import User
from saleor.graphql.middleware import get_app
from saleor.graphql.views import GraphQLView

from backend.api import limits, trusted_documents
from backend.api.errors import code_of, format_error
from backend.api.executor import middleware
from backend.api.freshness import announce_staff_change
from backend.api.limits import LIMITS, DocumentInvalid, RequestRefused
from backend.api.permissions import TokenStale, let_program_in
from backend.api.schema import schema
from backend.cooperatives.selectors import cooperatives_of
from backend.saleor_port.attempts import TooManyAttempts, take_program

log = structlog.get_logger(__name__)


A_FILE_IS_LIKE = 10
"""So many operations of a program: a file may have 10 MB, and is kept."""


class RequestUnreadable(RequestRefused):
    """Not what GraphQL over HTTP looks like."""

    def __init__(self, message: str | Promise, *, status: int = 400) -> None:
        super().__init__(message, code="unreadable_request", status=status)


@dataclass(frozen=True)
class Operation:
    """One entry of a request. sha256: the trusted document's; empty where the text is the client's own."""

    text: str
    sha256: str
    name: str | None
    variables: Mapping[str, Any]


@method_decorator(csrf_exempt, name="dispatch")
class ApiView(GraphQLView):
    """Exempt from CSRF checks because no cookie is ever taken for a credential here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(schema=schema, **kwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # The session of the admin must not sign a request in: only the Authorization header may.
        if hasattr(request, "user"):
            del request.user
        with translation.override(translation.get_language_from_request(request)):
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response

    def handle_query(self, request: HttpRequest) -> JsonResponse:
        try:
            return self._answer(request)
        except RequestRefused as refused:
            log.info(
                "api request refused",
                code=code_of(refused),
                cause=type(refused.__cause__).__name__ if refused.__cause__ else None,
                **refused.extensions,
            )
            return JsonResponse(
                {"errors": [format_error(refused)]},
                status=refused.status,
                headers={"Retry-After": str(refused.retry_after_s)} if refused.retry_after_s else None,
            )
        except (JSONWebTokenError, TokenStale) as error:
            return JsonResponse({"errors": [format_error(error)]}, status=401)
        except Exception as error:
            # Whatever it is, the client gets GraphQL's shape and no traceback.
            return JsonResponse({"errors": [format_error(error)]}, status=500)

    def _answer(self, request: HttpRequest) -> JsonResponse:
        let_program_in(request)
        body = _body(request)
        entries = body if isinstance(body, list) else [body]
        limits.check_batch(length=len(entries))
        operations = [_operation(entry) for entry in entries]
        if not all(each.sha256 for each in operations):
            if request.content_type == "multipart/form-data":
                _require_may_send_files(request)
            if settings.TRUSTED_DOCUMENTS_ONLY:
                _require_sign_in(request)
        limits.check_tokens([each.text for each in operations if not each.sha256])

        documents: list[Document | Exception] = []
        asked = limits.Asked()
        for each in operations:
            document = _parsed(self.schema, each)
            documents.append(document)
            if isinstance(document, Document):
                limits.add_operation(
                    asked,
                    schema=self.schema,
                    document=document,
                    operation_name=each.name,
                    variables=each.variables,
                )
        asked.check()
        _count_program(request, operations=max(len(operations), asked.mutations))

        answers = [
            self._run(request, document, each) for document, each in zip(documents, operations, strict=True)
        ]
        status = max((status for _answer, status in answers), default=200)
        data = [answer for answer, _status in answers]
        return JsonResponse(data if isinstance(body, list) else data[0], status=status, safe=False)

    def _run(
        self, request: HttpRequest, document: Document | Exception, operation: Operation
    ) -> tuple[dict[str, Any], int]:
        """(the answer, its HTTP status)."""
        if isinstance(document, Exception):
            return {"errors": [format_error(document)]}, 400
        try:
            mistakes = (
                _mistakes_of_trusted(self.schema, operation.text)
                if operation.sha256
                else limits.validate(schema=self.schema, document=document)
            )
            if mistakes:
                return {"errors": [format_error(each) for each in mistakes]}, 400
            result = self._execute(request, document, operation)
        except DocumentInvalid as invalid:
            log.info("api value unreadable", cause=type(invalid.__cause__).__name__)
            return {"errors": [format_error(invalid)]}, invalid.status
        answer: dict[str, Any] = {}
        if _writes(document, operation) and (getattr(request, "app", None) or _is_staff(request)):
            announce_staff_change()
        if result.errors:
            answer["errors"] = [format_error(error) for error in result.errors]
        if result.invalid:
            return answer, 400
        return {**answer, "data": result.data}, 200

    def _execute(self, request: HttpRequest, document: Document, operation: Operation) -> ExecutionResult:
        try:
            result: ExecutionResult = execute_document(
                self.schema,
                document,
                operation_name=operation.name,
                variable_values=dict(operation.variables),
                context_value=request,
                middleware=middleware(is_program=hasattr(request, "program")),
                executor=SyncExecutor(),
            )
            return result
        except GraphQLError as error:
            # Which operation, or which variable: known before the first resolver ran.
            return ExecutionResult(errors=[error], invalid=True)
        except Exception as error:
            # A scalar's parse_value raises what its library raises; resolvers' errors never come this way.
            raise DocumentInvalid from error


# ---- What came ---------------------------------------------------------------------------------------------


def _body(request: HttpRequest) -> Any:
    """The JSON of the request. Raises RequestRefused for one that is too large or cannot be read."""
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
        match request.content_type:
            case "application/json":
                limits.check_body(length=announced, most=_most_bytes(request, announced=announced))
                return json.loads(request.body.decode("utf-8"))
            case "application/graphql":
                limits.check_body(length=announced, most=LIMITS.body_bytes)
                return {"query": request.body.decode("utf-8")}
            case "multipart/form-data":
                limits.check_body(length=announced, most=LIMITS.upload_bytes)
                return _multipart_body(request)
    except (ValueError, RecursionError, MultiPartParserError, SuspiciousOperation, BadRequest) as error:
        raise RequestUnreadable(_("The request could not be read.")) from error
    raise RequestUnreadable(_("Please send JSON, as application/json."), status=415)


def _most_bytes(request: HttpRequest, *, announced: int) -> int:
    """How long a JSON body may be. Who it comes from is only looked at where that decides."""
    if announced > LIMITS.body_bytes and _is_signed_in(request) and _may_send_files(request):
        return LIMITS.report_bytes
    return LIMITS.body_bytes


def _multipart_body(request: HttpRequest) -> dict[str, Any]:
    """`operations` with the name of each file, by `map`, where its Upload is; Saleor's resolvers look it up there."""
    operations = json.loads(request.POST.get("operations", ""))
    limits.check_body(length=len(request.POST["operations"]), most=LIMITS.body_bytes)
    places = json.loads(request.POST.get("map", "{}"))
    if not isinstance(operations, dict) or not isinstance(places, dict):
        raise RequestUnreadable(_("The request could not be read."))
    limits.check_batch(length=len(places))
    for name, paths in places.items():
        if name not in request.FILES or not isinstance(paths, list):
            raise RequestUnreadable(_("The request could not be read."))
        for path in paths:
            _put(operations, str(path).split("."), name)
    return operations


def _put(container: Any, path: list[str], value: str) -> None:
    """Set what lies at the path, which must be there: a client sends null in place of a file."""
    *above, last = path
    try:
        for step in above:
            container = container[int(step) if isinstance(container, list) else step]
        key = int(last) if isinstance(container, list) else last
        container[key]
        container[key] = value
    except (LookupError, TypeError, ValueError) as error:
        raise RequestUnreadable(_("The request could not be read.")) from error


def _operation(entry: Any) -> Operation:
    """One entry of the body. A trusted document is named by `id` or by Apollo's extensions, or sent as it is."""
    if not isinstance(entry, dict):
        raise RequestUnreadable(_("The request could not be read."))
    text, name, variables = entry.get("query"), entry.get("operationName"), entry.get("variables")
    if isinstance(variables, str):
        try:
            variables = json.loads(variables or "null")
        except (ValueError, RecursionError) as error:
            raise RequestUnreadable(_("The request could not be read.")) from error
    if not isinstance(variables or {}, dict) or not isinstance(name or "", str):
        raise RequestUnreadable(_("The request could not be read."))
    extensions = entry.get("extensions")
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    asked_for = entry.get("id") or (persisted.get("sha256Hash") if isinstance(persisted, dict) else None)
    trusted = trusted_documents.trusted_documents()
    if not text:
        if not asked_for:
            raise RequestUnreadable(_("Must provide a query string."))
        document = trusted.get(asked_for) if isinstance(asked_for, str) else None
        if document is None:
            # Apollo's clients send the text when they read this code.
            raise RequestRefused(_("There is no such document."), code="persisted_query_not_found")
        text = document.text
    if not isinstance(text, str):
        raise RequestUnreadable(_("Must provide a query string."))
    sha256 = trusted_documents.sha256_of(text)
    return Operation(
        text=text,
        sha256=sha256 if sha256 in trusted else "",
        name=name if name and name != "null" else None,
        variables=variables or {},
    )


# ---- Who asks ----------------------------------------------------------------------------------------------


def _count_program(request: HttpRequest, *, operations: int) -> None:
    """Raise RequestRefused for a program that asks too often, by its token."""
    program = getattr(request, "program", None)
    if program is None:
        return
    if request.content_type == "multipart/form-data":
        operations *= A_FILE_IS_LIKE
    try:
        take_program(program=program.pk, operations=operations)
    except TooManyAttempts as error:
        raise RequestRefused(
            _("This program asks too often. Please try again in %(seconds)s s.") % {"seconds": error.wait_s},
            code="too_many_requests",
            status=429,
            extensions={"retryAfter": error.wait_s},
        ) from error


def _is_signed_in(request: HttpRequest) -> bool:
    """Whether the Authorization header is a person's or an app's. Raises JSONWebTokenError for a stale token."""
    if hasattr(request, "program"):
        return True
    kind, _space, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        request.app = get_app(token.strip())  # type: ignore[attr-defined]  # set by app_middleware  # where Saleor's middleware puts it
        return request.app is not None  # type: ignore[attr-defined]  # set by app_middleware
    if kind.lower() != "jwt":
        return False
    user = authenticate(request=request)
    if user is None:
        return False
    # Saleor's middleware asks no second time.
    request.user = user
    return True


def _require_sign_in(request: HttpRequest) -> None:
    if not _is_signed_in(request):
        raise RequestRefused(
            _("Without signing in, only the shop's own documents can be run."),
            code="document_not_trusted",
            status=403,
        )


def _may_send_files(request: HttpRequest) -> bool:
    """Whether who signed in is of the shop's staff, or reports a cooperative's stock."""
    if hasattr(request, "program") or getattr(request, "app", None) or request.user.is_staff:
        return True
    return isinstance(request.user, User) and bool(cooperatives_of(user=request.user))


def _require_may_send_files(request: HttpRequest) -> None:
    """Everybody else sends them with a document of the shop's own, a claim's photos say."""
    if not _is_signed_in(request) or not _may_send_files(request):
        raise RequestRefused(
            _("Files are taken from staff and from cooperatives only."), code="no_files", status=403
        )


def _is_staff(request: HttpRequest) -> bool:
    return bool(getattr(getattr(request, "user", None), "is_staff", False))


# ---- Documents ---------------------------------------------------------------------------------------------


def _parsed(schema: GraphQLSchema, operation: Operation) -> Document | Exception:
    """The document, or why it cannot be parsed."""
    try:
        return (
            _parsed_trusted(operation.text) if operation.sha256 else parse(Source(operation.text, "request"))
        )
    except GraphQLError as error:
        return error
    except RecursionError as error:
        raise RequestUnreadable(_("The request could not be read.")) from error


def _writes(document: Document, operation: Operation) -> bool:
    return any(
        isinstance(each, OperationDefinition) and each.operation == "mutation"
        for each in document.definitions
        if operation.name is None or (each.name and each.name.value == operation.name)
    )


@lru_cache(maxsize=256)
def _parsed_trusted(text: str) -> Document:
    return parse(Source(text, "document"))


@lru_cache(maxsize=256)
def _mistakes_of_trusted(schema: GraphQLSchema, text: str) -> list[Exception]:
    return limits.validate(schema=schema, document=_parsed_trusted(text))
