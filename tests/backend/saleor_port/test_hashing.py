"""Passwords are kept by Argon2, and old hashes are made anew when their owners sign in."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from saleor.account.models import User

PASSWORD = "secret-of-the-test"


@pytest.fixture(autouse=True)
def real_hashers(settings: Any) -> None:
    settings.PASSWORD_HASHERS = importlib.import_module("backend.config.settings").PASSWORD_HASHERS


def test_a_password_is_kept_by_argon2_within_19_mib() -> None:
    assert make_password(PASSWORD).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.django_db
def test_an_old_hash_is_made_anew_at_the_sign_in_and_the_token_is_good() -> None:
    user = User.objects.create(
        email="li@buyer.example", password=make_password(PASSWORD, hasher="pbkdf2_sha256")
    )
    client = Client()
    sign_in = f'mutation {{ tokenCreate(email: "{user.email}", password: "{PASSWORD}") {{ token }} }}'

    answer = client.post("/graphql/", {"query": sign_in}, content_type="application/json").json()

    user.refresh_from_db()
    assert user.password.startswith("argon2$")
    token = answer["data"]["tokenCreate"]["token"]
    me = client.post(
        "/graphql/",
        {"query": "{ me { email } }"},
        content_type="application/json",
        headers={"Authorization": f"JWT {token}"},
    ).json()
    assert me == {"data": {"me": {"email": user.email}}}
