"""What the admin pages of every room share: Saleor's permissions decide, not Django's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.common.draft import draft_js, split_paragraphs


class SaleorPermission:
    """Whoever has `permission`, one of Saleor's ("product.manage_products"), may see and change; nobody else."""

    permission: ClassVar[str]

    def may(self, request: HttpRequest) -> bool:
        """Whether the person who asks has the permission."""
        return bool(request.user.has_perm(self.permission))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request)


class ReadOnly(SaleorPermission):
    """Seen by whoever has the permission, and changed by nobody here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SaleorPermissionAdmin(SaleorPermission, admin.ModelAdmin):
    """The admin pages of one model."""

    list_per_page = 50
    show_full_result_count = False


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):
    """The admin pages of one model that something else keeps."""

    list_per_page = 50
    show_full_result_count = False


class SaleorPermissionTabularInline(SaleorPermission, admin.TabularInline):
    """Rows of one model within the page of another."""

    extra = 0


class SaleorPermissionStackedInline(SaleorPermission, admin.StackedInline):
    """Blocks of one model within the page of another."""

    extra = 0


class ReadOnlyTabularInline(ReadOnly, admin.TabularInline):
    """Rows of one model, to be looked at, within the page of another."""

    extra = 0


class DraftForm(forms.ModelForm):
    """Edits a text that Saleor keeps twice, plain and as Draft.js: the second follows the first."""

    text_field: ClassVar[str] = "description"

    def save(self, commit: bool = True) -> Any:
        if self.text_field in self.changed_data:
            text = self.cleaned_data[self.text_field]
            setattr(self.instance, f"{self.text_field}_json", draft_js(*split_paragraphs(text)))
        return super().save(commit=commit)


def validate_link(value: str) -> None:
    """Accept a page of this shop ("/brand/") or a whole address; nothing that a browser would run."""
    if not value.startswith(("/", "https://", "http://")) or value.startswith("//"):
        raise ValidationError(_("Begin with / for a page of this shop, or with https:// for another."))


def name_in_admin(
    model: type[Model],
    *,
    name: Promise,
    plural: Promise,
    fields: Mapping[str, Promise] | None = None,
) -> None:
    """Give a model of Saleor, which speaks English alone, a name in the admin, and its fields.

    Migrations look at what the class was written with, so they do not see this.
    """
    meta: Any = model._meta
    meta.verbose_name, meta.verbose_name_plural = name, plural
    for field, label in (fields or {}).items():
        meta.get_field(field).verbose_name = label
