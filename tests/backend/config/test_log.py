"""What is logged, and what never is."""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from django.db import IntegrityError
from saleor.account.models import Address

from backend.config.log import logging_settings, mask_personal_data
from tests import produce


@pytest.mark.parametrize(
    "text, masked",
    [
        ("order of lishen@example.com", "order of [mail address]"),
        ("call 13800138000", "call [phone number]"),
        ("call +8613800138000, please", "call [phone number], please"),
        ("Authorization: JWT eyJhbGciOi.J9.abc-_1", "Authorization: JWT [token]"),
        ("order 1380013800012345 of 2026-11-23", "order 1380013800012345 of 2026-11-23"),
        ("supply XY-0123: 30000 g", "supply XY-0123: 30000 g"),
        ("token eyJhbGciOiJI.eyJlbWFpbCI.abc-_1 is stale", "token [token] is stale"),
        (
            "GET https://feed.example/?api_key=s3cretpart&day=3",
            "GET https://feed.example/?api_key=[left out]&day=3",
        ),
        ("{'password': 'hunter22'}", "{'password': '[left out]'}"),
        ("Not Found: /orders/0b2cb0a6-1d0a-4c63-9d47-8e5c7b9a1f00/", "Not Found: /orders/…/"),
        ("送到: 绵阳市游仙区信义镇白马路 1 号 3 栋 502 室。", "送到: [address]。"),
        ("信义镇白马村的合作社报了 30 斤", "信义镇白马村的合作社报了 30 斤"),
        (
            "DETAIL:  Failing row contains (7, 李, 秀英, 信义镇, null).",
            "DETAIL:  Failing row contains (…).",
        ),
        (
            "DETAIL:  Key (first_name, email)=(秀英, li@a.cn) already exists.",
            "DETAIL:  Key (first_name, email)=(…) already exists.",
        ),
    ],
)
def test_who_a_person_is_does_not_reach_the_log(text: str, masked: str) -> None:
    assert mask_personal_data(text) == masked


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """The production log of one logger, as it would be written."""
    settings = logging_settings(as_json=True, level="INFO")
    written = StringIO()
    logger = logging.getLogger("tests.log")
    configurator = logging.config.DictConfigurator(settings)
    handler = logging.StreamHandler(written)
    handler.setFormatter(configurator.configure_formatter(settings["formatters"]["structured"]))
    logger.addHandler(handler)
    logger.propagate = False
    yield written
    logger.removeHandler(handler)
    logger.propagate = True


def test_production_logs_one_json_object_a_line_traceback_included(lines: StringIO) -> None:
    try:
        raise ValueError("unknown buyer lishen@example.com")
    except ValueError:
        logging.getLogger("tests.log").exception("下单失败 for %s", "13800138000")

    [line] = lines.getvalue().splitlines()
    event = json.loads(line)
    assert event["event"] == "下单失败 for [phone number]"
    assert event["level"] == "error"
    assert "ValueError: unknown buyer [mail address]" in event["exception"]
    assert "lishen@" not in line


def test_what_is_named_after_a_person_s_data_is_left_out_wherever_it_stands(lines: StringIO) -> None:
    structlog.wrap_logger(
        logging.getLogger("tests.log"),
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    ).warning(
        "basket changed",
        count=3,
        email="x",
        details={"phone": "1", "lines": [{"variables": {"a": 1}, "note": "ring 13800138000"}]},
        who=ValueError("lishen@example.com"),
    )
    event = json.loads(lines.getvalue())
    assert event["count"] == 3
    assert event["email"] == "[left out]"
    assert event["details"] == {
        "phone": "[left out]",
        "lines": [{"variables": "[left out]", "note": "ring [phone number]"}],
    }
    assert event["who"] == "[mail address]"


def test_a_real_refusal_of_the_database_does_not_bring_the_row_into_the_log(
    lines: StringIO, db: None
) -> None:
    with pytest.raises(IntegrityError) as refused:
        Address.objects.create(**{**produce.ADDRESS, "city": None})
    logging.getLogger("tests.log").error("failed", exc_info=refused.value)
    [line] = lines.getvalue().splitlines()
    assert "Failing row contains (…" in line
    assert "秀英" not in line and "13800138000" not in line
