"""The two ways of saying who one is: a password, when somebody signs in; a token, at the API and nowhere else."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.urls import reverse
from graphql_jwt.backends import JSONWebTokenBackend

from backend.saleor_port import attempts


class PasswordBackend(ModelBackend):
    """Django's, limited by account and by address, for tokenCreate and the admin alike.

    At the API it answers only where somebody signs in: Saleor's middleware hands every root field's arguments to all
    backends, so that a mutation with arguments called email and password would sign its sender in.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> Any:
        """The user, or None. Raises TooManyAttempts, a ValidationError, which forms and tokenCreate show."""
        account = username if username is not None else more.get("email")
        if account is None or password is None:
            return None
        if request is not None and _is_api(request) and not getattr(request, "_jwt_token_auth", False):
            return None
        taken = attempts.take_password(account=account, request=request)
        user = super().authenticate(request, username=account, password=password)
        if user is not None:
            attempts.give_back(taken)
        return user


class TokenBackend(JSONWebTokenBackend):
    """django-graphql-jwt's, for the API only: a token in a header opens no page of the admin."""

    def authenticate(self, request: HttpRequest | None = None, **more: Any) -> Any:
        if request is None or not _is_api(request):
            return None
        return super().authenticate(request, **more)


def _is_api(request: HttpRequest) -> bool:
    return bool(request.path == reverse("api"))
