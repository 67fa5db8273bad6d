from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from saleor.graphql.views import GraphQLView

from backend.api.errors import format_error
from backend.api.schema import schema


@method_decorator(csrf_exempt, name="dispatch")
class ApiView(GraphQLView):
    """POST /graphql/. Exempt from CSRF checks because no cookie is ever taken for a credential here."""

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

    @classmethod
    def format_error(cls, error: Exception | str) -> dict[str, Any]:
        return format_error(error if isinstance(error, Exception) else ValueError(error))
