from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(client: Client) -> Ask:
    """Post one operation to /graphql/, as nobody or with a token; gives the parsed answer."""

    def post(query: str, *, token: str = "", language: str = "en", **variables: Any) -> dict[str, Any]:
        headers = {"Accept-Language": language}
        if token:
            headers["Authorization"] = f"{'Bearer' if token.startswith('xycl_') else 'JWT'} {token}"
        response = client.post(
            "/graphql/",
            data=json.dumps({"query": query, "variables": variables}, default=str),
            content_type="application/json",
            headers=headers,
        )
        answer: dict[str, Any] = response.json()
        return answer

    return post


@pytest.fixture
def sign_in(ask: Ask) -> Callable[..., str]:
    """Get a token as any client of Saleor does."""

    def token_of(email: str, password: str = "secret-of-the-test") -> str:
        answer = ask(
            "mutation($email: String!, $password: String!)"
            "{ tokenCreate(email: $email, password: $password) { token errors { field message } } }",
            email=email,
            password=password,
        )
        token: str = answer["data"]["tokenCreate"]["token"]
        assert token, answer
        return token

    return token_of
