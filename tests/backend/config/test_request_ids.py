"""Each answer carries an id, and so does each line that was logged for it."""

from __future__ import annotations

import ipaddress
import json
import logging
import logging.config
import os
import re
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.test import Client

from backend.config.health import heartbeat
from backend.config.log import logging_settings
from tests import produce
from tests.shop import start_worker

pytestmark = pytest.mark.django_db

GIVEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Everything that this process would log in production."""
    settings = logging_settings(as_json=True, level="INFO")
    written = StringIO()
    handler = logging.StreamHandler(written)
    formatter = settings["formatters"]["structured"]
    handler.setFormatter(logging.config.DictConfigurator(settings).configure_formatter(formatter))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel("INFO")
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def lines_of(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize("path", ["/villages/", "/no-such-page/", "/healthz", "/graphql/", "/admin/"])
def test_every_answer_carries_an_id_of_its_own(client: Client, path: str) -> None:
    first, second = client.get(path), client.get(path)
    assert re.fullmatch("[0-9a-f]{32}", first.headers["X-Request-Id"])
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]


def test_a_proxy_s_id_is_kept_and_a_stranger_s_is_not(client: Client, settings: Any) -> None:
    given = {"X-Request-Id": GIVEN}
    assert client.get("/healthz", headers=given).headers["X-Request-Id"] != GIVEN
    settings.TRUSTED_PROXIES = (ipaddress.ip_network("127.0.0.0/8"),)
    assert client.get("/healthz", headers=given).headers["X-Request-Id"] == GIVEN
    nonsense = {"X-Request-Id": f"{GIVEN}\r\nx"[:40]}
    assert client.get("/healthz", headers=nonsense).headers["X-Request-Id"] != GIVEN


def test_an_unexpected_error_is_logged_under_the_id_that_the_client_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    def broken(**_kwargs: Any) -> None:
        raise RuntimeError("no such row: li@buyer.example, 13800138000")

    monkeypatch.setattr("backend.api.queries.board", broken)
    response = client.post("/graphql/", {"query": "{ board { asOf } }"}, content_type="application/json")
    request_id = response.headers["X-Request-Id"]
    assert response.json()["errors"][0]["message"].endswith(request_id)
    (line,) = [each for each in lines_of(log) if each["level"] == "error"]
    assert line["request_id"] == request_id
    assert "RuntimeError: no such row: [mail address], [phone number]" in line["exception"]


def test_a_refusal_is_logged_with_its_cost_and_without_what_was_asked(client: Client, log: StringIO) -> None:
    query = 'mutation { tokenCreate(email: "li@buyer.example", password: "hunter2") { token } }'
    response = client.post("/graphql/", [{"query": query}] * 6, content_type="application/json")
    (line,) = [each for each in lines_of(log) if each["event"] == "api request refused"]
    assert line["code"] == "TOO_MUCH_MUTATIONS"
    assert line["cost"]["requested"] > 18_000
    assert line["request_id"] == response.headers["X-Request-Id"]
    assert "hunter2" not in log.getvalue() and "li@" not in log.getvalue()


def test_signing_in_ordering_and_failing_leave_no_personal_data_in_the_log(
    client: Client, log: StringIO, settings: Any
) -> None:
    produce.a_person(email="li@buyer.example")
    shed = produce.a_shed()
    asked = [
        (
            "mutation($e: String!, $p: String!) { tokenCreate(email: $e, password: $p) { token } }",
            {"e": "li@buyer.example", "p": "secret-of-the-test"},
        ),
        (
            "mutation($e: String!, $p: String!) { tokenCreate(email: $e, password: $p) { token } }",
            {"e": "li@buyer.example", "p": "wrong-secret"},
        ),
        (
            'mutation($a: AddressInput!) { checkoutCreate(input: {lines: [], email: "li@buyer.example", '
            "shippingAddress: $a}) { checkout { id } checkoutErrors { field } } }",
            {
                "a": {
                    "firstName": "秀英",
                    "lastName": "李",
                    "streetAddress1": "白马路 1 号",
                    "phone": "13800138000",
                    "country": "CN",
                }
            },
        ),
        ('{ product(id: "秀英") { name } }', {}),
        ("query($x: UUID!) { checkout(token: $x) { id } }", {"x": "秀英 13800138000"}),
    ]
    for query, variables in asked:
        response = client.post(
            "/graphql/", {"query": query, "variables": variables}, content_type="application/json"
        )
        assert response.status_code in (200, 400)
    client.get("/orders/0b2cb0a6-1d0a-4c63-9d47-8e5c7b9a1f00/")
    written = log.getvalue()
    logging.getLogger("tests").warning("the log is there")
    assert "the log is there" in log.getvalue()
    for private in ("li@", "secret", "秀英", "白马路", "13800138000", "0b2cb0a6"):
        assert private not in written, written
    assert shed.product


@pytest.mark.django_db(transaction=True)
def test_a_worker_s_lines_carry_the_id_of_the_request_that_began_the_task() -> None:
    log = Path(os.environ["VAR_DIR"], "worker.log")
    with start_worker(environment={**os.environ, "LOG_LEVEL": "INFO"}):
        with structlog.contextvars.bound_contextvars(request_id=GIVEN):
            asked_for = heartbeat.delay().id
        by_itself = heartbeat.delay().id

        def lines(task_id: str) -> list[str]:
            return [line for line in log.read_text().splitlines() if task_id in line and "succeeded" in line]

        deadline = time.monotonic() + 60
        while not (lines(asked_for) and lines(by_itself)):
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.05)

    assert all(GIVEN in line for line in lines(asked_for))
    # What the task before it was begun by is forgotten, whichever child of the worker ran it.
    assert not any("request_id" in line for line in lines(by_itself))
