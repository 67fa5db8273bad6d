"""What it costs to refuse a request that asks for too much: CPU of this process, the whole of Django included.

`make bench`. Budget: 50 ms each, and not one SQL query.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import httpx
import psutil
import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from backend.config.wsgi import application
from tests.shop import Shop

BUDGET_MS = 50
ROUNDS = 9

SIGN_INS = (
    "mutation { "
    + " ".join(
        f'a{number}: tokenCreate(email: "li@buyer.example", password: "{number}") {{ token }}'
        for number in range(200)
    )
    + " }"
)
# As many as the tokens allow, so that the document is parsed and walked through before it is refused.
FEWER_SIGN_INS = SIGN_INS[: SIGN_INS.index("a140:")] + "}"
DEPTH = '{ category(id: "x") ' + "{ parent " * 58 + "{ name }" + "}" * 59
HIDDEN_DEPTH = (
    '{ category(id: "x") { ...F0 } } '
    + " ".join(f"fragment F{n} on Category {{ parent {{ ...F{n + 1} }} }}" for n in range(58))
    + " fragment F58 on Category { name }"
)
LAUGHS = (
    '{ category(id: "x") { ...F0 } } '
    + " ".join(
        f"fragment F{n} on Category {{ a: parent {{ ...F{n + 1} }} b: parent {{ ...F{n + 1} }} }}"
        for n in range(11)
    )
    + " fragment F11 on Category { name }"
)
IDS = {
    "query": "query($ids: [ID]) { products(first: 9, filter: {ids: $ids}) { totalCount } }",
    "variables": {"ids": [f"UHJvZHVjdDo{number:05}" for number in range(10_000)]},
}
FULL = "{ shop { name } } " + " ".join(f"fragment F{n} on Shop {{ {'name ' * 15} }}" for n in range(58))

ATTACKS: dict[str, Any] = {
    "200 aliased sign-ins": {"query": SIGN_INS},
    "140 aliased sign-ins, parsed": {"query": FEWER_SIGN_INS},
    "a batch of 500": [{"query": "{ shop { name } }"}] * 500,
    "a batch of 10, all as long as may be": [{"query": FULL}] * 10,
    "depth 60": {"query": DEPTH},
    "depth 60, in fragments": {"query": HIDDEN_DEPTH},
    "fragments that double eleven times": {"query": LAUGHS},
    "a body of 20 MB": " " * 20 * 1024 * 1024,
    "10,000 ids in a filter": IDS,
}


@pytest.mark.django_db
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_refusal_is_cheap(attack: str) -> None:
    body = ATTACKS[attack]
    text = body if isinstance(body, str) else json.dumps(body)
    factory = RequestFactory()

    def refuse() -> float:
        environ = factory.post("/graphql/", data=text, content_type="application/json").environ
        statuses: list[str] = []
        began = time.process_time()
        answer = b"".join(application(environ, lambda status, _headers: statuses.append(status)))
        spent = (time.process_time() - began) * 1000
        assert statuses[0][:3] in ("400", "413")
        assert "TOO_MUCH_" in answer.decode()
        return spent

    refuse()
    with CaptureQueriesContext(connection) as queries:
        spent = [refuse() for _ in range(ROUNDS)]
    median = statistics.median(spent)
    print(f"\n{attack}: refused in {median:.1f} ms CPU, at most {max(spent):.1f} (budget {BUDGET_MS})")
    assert len(queries) == 0
    # The median: a full collection of a test process, which nothing freezes, is not the price of a refusal.
    assert median < BUDGET_MS


def test_a_refusal_over_http_is_cheap(shop: Shop) -> None:
    """What the web processes spend, all that nobody asked for included: a refused body is read to its end."""
    web = psutil.Process(shop.processes["web"].pid)

    def spent() -> float:
        times = [process.cpu_times() for process in (web, *web.children(recursive=True))]
        return sum(each.user + each.system for each in times) * 1000

    with httpx.Client(base_url=shop.url, timeout=60) as client:
        for attack, body in ATTACKS.items():
            content = (body if isinstance(body, str) else json.dumps(body)).encode()

            def refuse(content: bytes = content) -> None:
                answer = client.post(
                    "/graphql/", content=content, headers={"Content-Type": "application/json"}
                )
                assert answer.status_code in (400, 413)
                assert answer.headers["X-Request-Id"]

            for _ in range(4):
                refuse()
            before = spent()
            for _ in range(ROUNDS):
                refuse()
            cpu = (spent() - before) / ROUNDS
            print(f"\n{attack}, over HTTP: {cpu:.1f} ms CPU (budget {BUDGET_MS})")
            assert cpu < BUDGET_MS
