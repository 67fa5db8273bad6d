"""Every request has an id: in each line that is logged meanwhile, and in the answer, for whoever asks about it.

It goes along with the tasks that the request starts, and with those that they start: a worker's lines carry it, too.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from celery.signals import before_task_publish, task_postrun, task_prerun
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


# ---- Tasks ----------------------------------------------------------------------------------------------------------


@before_task_publish.connect
def send_along(headers: dict[str, Any], **_kwargs: Any) -> None:
    """The id of what goes on here, into the headers of the message."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        headers["request_id"] = request_id


@task_prerun.connect
def bind_to_task(task: Any, task_id: str, **_kwargs: Any) -> None:
    """The lines of a worker's task carry the request's id, the task's and its name; nothing is left of the last one."""
    if task.request.called_directly or task.request.is_eager:
        return  # It runs in the middle of something that has a context of its own.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task_id=task_id, task_name=task.name)
    request_id = (task.request.headers or {}).get("request_id")
    if isinstance(request_id, str):
        structlog.contextvars.bind_contextvars(request_id=request_id)


@task_postrun.connect
def forget_task(task: Any, **_kwargs: Any) -> None:
    if not (task.request.called_directly or task.request.is_eager):
        structlog.contextvars.clear_contextvars()
