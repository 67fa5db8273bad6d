"""Logs: one JSON object a line in production, readable lines elsewhere, and no personal data in either."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

# In this order: (what a person, or what opens a door, looks like; what is written in its place).
_MASKS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # PostgreSQL quotes the row that it refuses, and the key that is there already.
        (r"(?s)(Failing row contains \().*?(\)\.?$|\)\.?\n)", r"\1…\2"),
        (r"(Key \([^)]*\)=\()[^\n]*?(\) (?:already|is|conflicts|still))", r"\1…\2"),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "[mail address]"),
        (r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d{9}(?!\d)", "[phone number]"),
        (r"(?i)\b(jwt|bearer)\s+[\w.~+/=-]{8,}", r"\1 [token]"),
        (r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*", "[token]"),
        (
            r"(?i)\b([\w-]*(?:token|password|secret|key|sign|signature)[\"']?(?:=|: ?)[\"']?)[^\s\"',&;)}\]]{4,}",
            r"\1[left out]",
        ),
        # An order's page is whoever has its address.
        (r"(/orders/)[\w-]+", r"\1…"),
        # 绵阳市游仙区信义镇白马路 1 号 3 栋 502 室
        (
            r"[一-鿿]{2,}(?:路|街|巷|道|村|镇|组|小区)\s*\d+\s*(?:号|组|栋|幢|弄)(?:\s*\d*\s*[号栋幢楼单元室层]+)*",
            "[address]",
        ),
    )
)

# What no line may hold, whoever writes it. `name` is not among them: supplies and villages have names, too.
_LEFT_OUT = {
    "address",
    "authorization",
    "body",
    "cookie",
    "email",
    "first_name",
    "last_name",
    "password",
    "phone",
    "query",
    "street_address_1",
    "street_address_2",
    "token",
    "user",
    "variables",
}


def mask_personal_data(text: str) -> str:
    """Replace mail and postal addresses, Chinese mobile numbers, tokens and keys by what they were."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


def mask_event(logger: Any, method_name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: masks every text of the event, the traceback included."""
    for key, value in event.items():
        event[key] = _masked(key, value)
    return event


def _masked(key: str, value: Any) -> Any:
    if key.lower() in _LEFT_OUT:
        return "[left out]"
    if isinstance(value, str):
        return mask_personal_data(value)
    if isinstance(value, Mapping):
        return {str(name): _masked(str(name), each) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked("", each) for each in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return mask_personal_data(str(value))


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
            # It would write every statement with its values.
            "django.db.backends": {"level": "INFO"},
            # It would write every address that a feed is asked at, and some hold a key.
            "httpx": {"level": "WARNING"},
            # One line per request is the web server's and the proxy's affair.
            "django.server": {"level": "WARNING"},
            # graphql-core logs each resolver's error a second time, with its arguments, and those that are answers.
            "graphql.execution.executor": {"handlers": [], "propagate": False, "level": "CRITICAL"},
            "graphql.execution.utils": {"handlers": [], "propagate": False, "level": "CRITICAL"},
        },
    }
