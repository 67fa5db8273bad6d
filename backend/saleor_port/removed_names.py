"""Names that Django removed and that Saleor 2.10.1, django-graphql-jwt 0.3 or graphene-django 2.10 import."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator

import django.conf.urls
import django.contrib.postgres.fields
import django.contrib.postgres.fields.jsonb
import django.dispatch
import django.forms.forms
import django.utils.encoding
import django.utils.http
import django.utils.translation
from django.db.models import JSONField
from django.dispatch import Signal
from django.forms.boundfield import BoundField
from django.urls import re_path
from django.utils.encoding import force_str, smart_str
from django.utils.http import url_has_allowed_host_and_scheme

from backend.saleor_port.registry import Phase, Replace, patch


@patch(
    name="removed_text_functions",
    reason="Django 4.0 removed smart_text, force_text, ugettext and kin, conf.urls.url, http.urlquote",
    phase=Phase.BEFORE,
)
def removed_text_functions() -> Iterator[Replace]:
    yield Replace(django.utils.encoding, "smart_text", smart_str)
    yield Replace(django.utils.encoding, "force_text", force_str)
    for name in ("gettext", "gettext_lazy", "ngettext", "ngettext_lazy"):
        yield Replace(
            django.utils.translation,
            f"u{name}",
            getattr(django.utils.translation, name),
        )
    yield Replace(django.conf.urls, "url", re_path)
    yield Replace(django.utils.http, "urlquote", urllib.parse.quote)
    yield Replace(django.utils.http, "urlunquote", urllib.parse.unquote)
    yield Replace(django.utils.http, "is_safe_url", url_has_allowed_host_and_scheme)


@patch(
    name="moved_bound_field",
    reason="Django 5.0 no longer re-exports BoundField from forms.forms, where saleor.account.i18n looks",
    phase=Phase.BEFORE,
)
def moved_bound_field() -> Iterator[Replace]:
    yield Replace(django.forms.forms, "BoundField", BoundField)


@patch(
    name="postgres_json_field",
    reason="Django 4.0 left contrib.postgres JSONField as a stub for old migrations only (fields.E904)",
    phase=Phase.BEFORE,
)
def postgres_json_field() -> Iterator[Replace]:
    yield Replace(django.contrib.postgres.fields, "JSONField", JSONField)
    yield Replace(django.contrib.postgres.fields.jsonb, "JSONField", JSONField)


@patch(
    name="signal_arguments",
    reason="Django 4.0 removed Signal(providing_args=…); graphql_jwt.signals still passes it",
    phase=Phase.BEFORE,
)
def signal_arguments() -> Iterator[Replace]:
    plain_init: Callable[..., None] = Signal.__init__

    def init(self: Signal, providing_args: object = None, use_caching: bool = False) -> None:
        plain_init(self, use_caching)

    yield Replace(Signal, "__init__", init)
