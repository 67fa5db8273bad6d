"""Every request has an id: in each line that is logged meanwhile, and in the answer, for whoever asks about it."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-Id"


class RequestIds:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = _given_by_the_proxy(request) or uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response.headers[HEADER] = request_id
        return response


def _given_by_the_proxy(request: HttpRequest) -> str | None:
    """The proxy's own id of the request, so that its log and ours agree; anybody else's word is not taken."""
    given = request.headers.get(HEADER, "")
    if not re.fullmatch(r"[0-9a-f]{32}", given):
        return None
    try:
        sender = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return None
    return given if any(sender in network for network in settings.TRUSTED_PROXIES) else None
