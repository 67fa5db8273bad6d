"""Where a cooperative's own system answers, or where it puts its files, and how it did lately."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backend.common.errors import ShopError
from backend.common.outside import check_address
from backend.cooperatives.models import Cooperative
from backend.stock import schedule
from backend.stock.breaker import Breaker
from backend.stock.ways_in import credentials
from backend.stock.ways_in.folder import is_folder_name
from backend.stock.words import Basis

ROLES = ("code", "name", "quantity", "unit", "lot", "date", "note")
"""What may stand below a heading; the last two are read past."""

SHORTEST_SECONDS = 5


def check_daily_at(value: str) -> None:
    """Raise ValidationError unless these are times of a day."""
    try:
        schedule.read_times(value)
    except ValueError as error:
        raise ValidationError(_("Write times as 06:30 18:00, with a blank between them.")) from error


def check_time_zone(value: str) -> None:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError) as error:
        raise ValidationError(_("There is no such time zone; China's is Asia/Shanghai.")) from error


def check_mapping(value: object) -> None:
    """Raise ValidationError unless it says of each heading what stands below it."""
    if not isinstance(value, dict) or not all(
        isinstance(heading, str) and role in ROLES for heading, role in value.items()
    ):
        raise ValidationError(
            _('Write {"heading in the file": "role"}, where a role is one of %(roles)s.'),
            params={"roles": ", ".join(ROLES)},
        )


class Feed(models.Model):
    """One way in which a cooperative's counts arrive by themselves.

    The circuit breaker (failures, opened_at, next_try_at) belongs to backend.stock.breaker; due_at says when the feed
    is asked next, and is null where that is at once.
    """

    class Kind(models.TextChoices):
        HTTP_JSON = "http_json", _("JSON over HTTP")
        HTTP_CSV = "http_csv", _("CSV over HTTP")
        HTTP_XLSX = "http_xlsx", _("workbook over HTTP")
        FOLDER = "folder", _("folder on this server")
        SFTP = "sftp", _("SFTP drop")

    class Credential(models.TextChoices):
        NONE = "none", _("none")
        BASIC = "basic", _("user name and password")
        BEARER = "bearer", _("bearer token")
        HMAC = "hmac", _("signature (HMAC-SHA256)")
        SSH_KEY = "ssh_key", _("SSH key")

    class Silence(models.TextChoices):
        NOTHING = "nothing", _("do nothing")
        ALERT = "alert", _("tell the staff")
        STOP = "stop", _("tell the staff, and stop selling later")

    cooperative = models.ForeignKey(
        Cooperative,
        on_delete=models.CASCADE,
        related_name="feeds",
        verbose_name=_("cooperative"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    url = models.CharField(
        _("address"),
        max_length=500,
        help_text=_("https://… ; for a drop sftp://host/directory ; for a folder its name alone."),
    )
    credential = models.CharField(
        _("credential"), max_length=10, choices=Credential.choices, default=Credential.NONE
    )
    username = models.CharField(_("user name, or number of the key"), max_length=100, blank=True)
    # Sealed by backend.stock.ways_in.credentials; never shown again.
    sealed_secret = models.TextField(blank=True, editable=False)
    host_key = models.TextField(
        _("host key"),
        blank=True,
        help_text=_("Of an SFTP drop, as ssh-keyscan prints it: ssh-ed25519 AAAA…"),
    )
    basis = models.CharField(_("basis"), max_length=10, choices=Basis.choices, default=Basis.SHELF)
    is_complete = models.BooleanField(
        _("complete"), default=False, help_text=_("A good that is absent is sold out.")
    )
    mapping = models.JSONField(
        _("columns"),
        default=dict,
        blank=True,
        validators=[check_mapping],
        help_text=_('Where the headings are unusual: {"heading in the file": "code"}.'),
    )
    interval_seconds = models.PositiveIntegerField(
        _("asked every … seconds"), default=60, validators=[MinValueValidator(SHORTEST_SECONDS)]
    )
    daily_at = models.CharField(
        _("or daily at"),
        max_length=100,
        blank=True,
        validators=[check_daily_at],
        help_text=_("06:30 18:00; empty: every so many seconds."),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=40, default="Asia/Shanghai", validators=[check_time_zone]
    )
    on_silence = models.CharField(
        _("when it falls silent"), max_length=10, choices=Silence.choices, default=Silence.ALERT
    )
    silent_after_minutes = models.PositiveIntegerField(
        _("silent after … minutes"),
        default=180,
        validators=[MinValueValidator(1)],
        help_text=_("Without an answer; for a folder or a drop, without a file."),
    )
    stop_after_hours = models.PositiveIntegerField(
        _("stop selling after … hours"),
        default=24,
        validators=[MinValueValidator(1)],
        help_text=_("Of silence; what the cooperative has counted another way since stays on sale."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=60, blank=True, editable=False)
    # What was seen in a folder or drop at the last look: name -> [bytes, changed at, first seen so at].
    seen = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField(_("asked next"), null=True, blank=True, editable=False)
    last_asked_at = models.DateTimeField(_("last asked"), null=True, blank=True, editable=False)
    last_answered_at = models.DateTimeField(_("last answered"), null=True, blank=True, editable=False)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    opened_at = models.DateTimeField(_("left alone since"), null=True, blank=True, editable=False)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("feed")
        verbose_name_plural = _("feeds")
        indexes = [models.Index(fields=("due_at",), name="feeds_by_due_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(opened_at__isnull=True) | Q(next_try_at__isnull=False),
                name="a_feed_left_alone_is_tried_again",
            )
        ]

    def __str__(self) -> str:
        return f"{self.cooperative} · {self.get_kind_display()}"

    @property
    def is_over_http(self) -> bool:
        return self.kind in (Feed.Kind.HTTP_JSON, Feed.Kind.HTTP_CSV, Feed.Kind.HTTP_XLSX)

    @property
    def breaker(self) -> Breaker:
        return Breaker(failures=self.failures, opened_at=self.opened_at, next_try_at=self.next_try_at)

    def set_breaker(self, breaker: Breaker) -> None:
        self.failures = breaker.failures
        self.opened_at, self.next_try_at = breaker.opened_at, breaker.next_try_at

    @property
    def daily_times(self) -> tuple[time, ...]:
        return schedule.read_times(self.daily_at)

    def scheduled_after(self, moment: datetime) -> datetime:
        """When the feed is asked next in the ordinary course, after that moment."""
        return schedule.next_time(
            after=moment,
            every_seconds=max(SHORTEST_SECONDS, self.interval_seconds),
            daily_at=self.daily_times,
            zone=ZoneInfo(self.time_zone),
        )

    def clean(self) -> None:
        """The address and the credential fit the kind."""
        errors: dict[str, ValidationError] = {}
        private = settings.FEEDS_ALLOW_PRIVATE
        try:
            if self.kind == Feed.Kind.FOLDER:
                if not is_folder_name(self.url):
                    errors["url"] = ValidationError(
                        _("The name of one folder: letters, digits, - and _ without a blank or /.")
                    )
                elif settings.FEEDS_FOLDER is None:
                    errors["kind"] = ValidationError(
                        _("This shop watches no folders: FEEDS_FOLDER is not set.")
                    )
            elif self.kind == Feed.Kind.SFTP:
                check_address(url=self.url, allow_private=private, schemes={"sftp"})
                if not self.host_key.strip():
                    errors["host_key"] = ValidationError(
                        _("Without its key anybody could pretend to be this server.")
                    )
            else:
                check_address(url=self.url, allow_private=private)
                if (
                    self.credential != Feed.Credential.NONE
                    and not private
                    and not self.url.startswith("https://")
                ):
                    errors["url"] = ValidationError(_("A password is sent over https:// only."))
        except ShopError as error:
            errors["url"] = ValidationError(str(error))
        if self.credential not in CREDENTIALS_OF[self.kind]:
            errors["credential"] = ValidationError(_("Not possible with this kind of feed."))
        if self.credential in (Feed.Credential.BASIC, Feed.Credential.HMAC) and not self.username:
            errors["username"] = ValidationError(_("This credential needs one."))
        if errors:
            raise ValidationError(errors)

    @property
    def secret(self) -> str:
        """The password in the clear, for whoever sends it. Raises FeedForbidden where it cannot be opened."""
        return credentials.unseal(self.sealed_secret) if self.sealed_secret else ""

    def keep_secret(self, secret: str) -> None:
        """Seal it; "" forgets it. Raises FeedForbidden where this shop has no key to seal with."""
        self.sealed_secret = credentials.seal(secret) if secret else ""


_OVER_HTTP = frozenset(
    {Feed.Credential.NONE, Feed.Credential.BASIC, Feed.Credential.BEARER, Feed.Credential.HMAC}
)
CREDENTIALS_OF: dict[str, Collection[str]] = {
    Feed.Kind.HTTP_JSON: _OVER_HTTP,
    Feed.Kind.HTTP_CSV: _OVER_HTTP,
    Feed.Kind.HTTP_XLSX: _OVER_HTTP,
    Feed.Kind.FOLDER: frozenset({Feed.Credential.NONE}),
    Feed.Kind.SFTP: frozenset({Feed.Credential.BASIC, Feed.Credential.SSH_KEY}),
}
