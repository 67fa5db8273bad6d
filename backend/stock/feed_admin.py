"""Feeds, alerts and failed tasks in the admin."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backend.common.admin import ReadOnlyAdmin, SaleorPermissionAdmin
from backend.common.errors import ShopError
from backend.stock import dead_letters, feed_services, tasks
from backend.stock.breaker import Position
from backend.stock.models import Alert, DeadLetter, Feed, Report

PRODUCTS = "product.manage_products"
OPERATIONS = "site.manage_settings"
"""Who looks after the background work."""


class FeedForm(forms.ModelForm):
    """The password is written here and never read: what is kept of it is not sent back to any browser."""

    new_secret = forms.CharField(
        label=_("new password, token or key"),
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Empty: the one that is kept stays."),
    )
    forget_secret = forms.BooleanField(label=_("forget the one that is kept"), required=False)

    class Meta:
        model = Feed
        # The page below says which of them where.
        fields = ("cooperative", "kind", "url", "credential", "username", "host_key")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        # Sealed here already, so that a shop without a key says so beside the field.
        secret = cleaned.pop("new_secret", "")
        try:
            if secret:
                self.instance.keep_secret(secret)
            elif cleaned.get("forget_secret"):
                self.instance.keep_secret("")
        except ShopError as error:
            raise ValidationError({"new_secret": str(error)}) from error
        needs_one = cleaned.get("credential", Feed.Credential.NONE) != Feed.Credential.NONE
        if needs_one and not self.instance.sealed_secret:
            raise ValidationError({"new_secret": _("This credential needs one.")})
        if needs_one and not secret and _place(cleaned.get("url", "")) != _place(self.initial.get("url", "")):
            # Nobody has one that is kept sent to a system of their own.
            raise ValidationError(
                {"new_secret": _("The address is another system's now. Write the password for it again.")}
            )
        return cleaned


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


@admin.register(Feed)
class FeedAdmin(SaleorPermissionAdmin):
    permission = PRODUCTS
    form = FeedForm
    list_display = (
        "cooperative",
        "kind",
        "url",
        "is_enabled",
        "state",
        "last_answered_at",
        "due_at",
        "last_error",
    )
    list_filter = ("cooperative", "kind", "is_enabled")
    list_select_related = ("cooperative",)
    readonly_fields = (
        "state",
        "has_secret",
        "last_asked_at",
        "last_answered_at",
        "due_at",
        "failures",
        "last_error",
    )
    actions = ("ask_now",)
    fieldsets = (
        (None, {"fields": ("cooperative", "kind", "url", "is_enabled")}),
        (
            _("Sign-in"),
            {"fields": ("credential", "username", "has_secret", "new_secret", "forget_secret", "host_key")},
        ),
        (_("What it says"), {"fields": ("basis", "is_complete", "mapping")}),
        (_("When it is asked"), {"fields": ("interval_seconds", "daily_at", "time_zone")}),
        (_("Silence"), {"fields": ("on_silence", "silent_after_minutes", "stop_after_hours")}),
        (
            _("How it did lately"),
            {"fields": ("state", "last_asked_at", "last_answered_at", "due_at", "failures", "last_error")},
        ),
    )

    @admin.display(description=_("password kept"), boolean=True)
    def has_secret(self, feed: Feed) -> bool:
        return bool(feed.sealed_secret)

    @admin.display(description=_("state"))
    def state(self, feed: Feed) -> str:
        position = feed.breaker.position(now=timezone.now())
        if position is Position.OPEN:
            return str(_("left alone until the next try"))
        if position is Position.HALF_OPEN:
            return str(_("being tried again"))
        return str(_("fails now and then") if feed.failures else _("well"))

    def save_model(self, request: HttpRequest, obj: Feed, form: Any, change: bool) -> None:
        # Whatever was changed may be what was wrong: asked anew, from the beginning.
        obj.due_at = obj.opened_at = obj.next_try_at = None
        obj.failures = 0
        obj.etag = obj.last_modified = ""
        super().save_model(request, obj, form, change)

    @admin.action(description=_("Ask now"), permissions=["change"])
    def ask_now(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        feed_services.try_again(feed_ids=list(queryset.values_list("pk", flat=True)))
        self.message_user(request, _("They are asked within seconds."), messages.SUCCESS)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    permission = PRODUCTS
    list_display = ("opened_at", "kind", "cooperative", "message", "told_at", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "kind", "cooperative")
    list_select_related = ("cooperative",)
    date_hierarchy = "opened_at"


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    permission = OPERATIONS
    list_display = (
        "last_at",
        "task",
        "about",
        "error",
        "message",
        "times",
        "can_retry",
        "retried_at",
        "closed_at",
    )
    list_filter = (("closed_at", admin.EmptyFieldListFilter), "task", "error")
    actions = ("run_again", "close")

    @admin.display(description=_("arguments"))
    def about(self, letter: DeadLetter) -> str | SafeString:
        """A report that could not be applied leads to its page."""
        report_id = dead_letters.report_of(letter)
        said = ", ".join(map(str, [*letter.args, *letter.kwargs.values()]))
        if report_id is None:
            return said
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:stock_report_change", args=[report_id]), said
        )

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self.may(request)

    @admin.action(description=_("Run again"), permissions=["retry"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        letters = list(queryset.values_list("pk", flat=True))
        queued = dead_letters.run_again(letter_ids=letters, now=timezone.now())
        self.message_user(
            request, ngettext("%d task is run again.", "%d tasks are run again.", queued) % queued
        )

    @admin.action(description=_("Dealt with"), permissions=["retry"])
    def close(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        dead_letters.close(letter_ids=list(queryset.values_list("pk", flat=True)), now=timezone.now())


@admin.action(description=_("Try again to apply those that failed"), permissions=["view"])
def apply_again(page: Any, request: HttpRequest, queryset: QuerySet[Report]) -> None:
    """For the reports' page."""
    report_ids = list(queryset.filter(status=Report.Status.FAILED).values_list("pk", flat=True))
    tried = feed_services.try_reports_again(report_ids=report_ids)
    for report_id in report_ids:
        dead_letters.close_of_report(report_id=report_id, now=timezone.now())
        transaction.on_commit(partial(tasks.apply_report.delay, str(report_id)))
    page.message_user(
        request, ngettext("%d report is applied again.", "%d reports are applied again.", tried) % tried
    )
