"""What is logged, and what never is."""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO

import pytest

from backend.config.log import logging_settings, mask_personal_data


@pytest.mark.parametrize(
    "text, masked",
    [
        ("order of lishen@example.com", "order of [mail address]"),
        ("call 13800138000", "call [phone number]"),
        ("call +8613800138000, please", "call [phone number], please"),
        ("Authorization: JWT eyJhbGciOi.J9.abc-_1", "Authorization: JWT [token]"),
        ("order 1380013800012345 of 2026-11-23", "order 1380013800012345 of 2026-11-23"),
        ("supply XY-0123: 30000 g", "supply XY-0123: 30000 g"),
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
