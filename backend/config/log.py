"""Logs: one JSON object a line in production, readable lines elsewhere, and no personal data in either."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_MAIL_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MOBILE_NUMBER = re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d{9}(?!\d)")
_TOKEN = re.compile(r"(?i)\b(jwt|bearer)\s+[\w.~+/=-]{8,}")


def mask_personal_data(text: str) -> str:
    """Replace mail addresses, Chinese mobile numbers and bearer tokens by what they were."""
    text = _MAIL_ADDRESS.sub("[mail address]", text)
    text = _MOBILE_NUMBER.sub("[phone number]", text)
    return _TOKEN.sub(r"\1 [token]", text)


def mask_event(logger: Any, method_name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: masks every text of the event, the traceback included."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = mask_personal_data(value)
    return event


def _processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(allow={"status_code", "task_id", "task_name"}),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def logging_settings(*, as_json: bool, level: str) -> dict[str, Any]:
    """Django's LOGGING. Everything goes to standard error; whoever runs the process keeps it."""
    structlog.configure(
        processors=[*_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _processors(),
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    mask_event,
                    renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": level},
            # One line per request is the web server's and the proxy's affair.
            "django.server": {"level": "WARNING"},
            # graphql-core logs each resolver's error a second time, with its arguments.
            "graphql.execution.utils": {"handlers": [], "propagate": False, "level": "CRITICAL"},
        },
    }
