"""Where a cooperative's own system answers, and how it did lately."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backend.cooperatives.models import Cooperative
from backend.stock.words import Basis


class Feed(models.Model):
    """Where a cooperative's own system can be asked for its counts."""

    class Kind(models.TextChoices):
        HTTP_JSON = "http_json", _("JSON over HTTP")
        HTTP_XLSX = "http_xlsx", _("workbook over HTTP")

    cooperative = models.ForeignKey(
        Cooperative,
        on_delete=models.CASCADE,
        related_name="feeds",
        verbose_name=_("cooperative"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    url = models.URLField(_("address"), max_length=500)
    basis = models.CharField(_("basis"), max_length=10, choices=Basis.choices, default=Basis.SHELF)
    is_complete = models.BooleanField(
        _("complete"), default=False, help_text=_("A good that is absent is sold out.")
    )
    interval_seconds = models.PositiveIntegerField(_("asked every … seconds"), default=60)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_asked_at = models.DateTimeField(_("last asked"), null=True, blank=True, editable=False)
    last_answered_at = models.DateTimeField(_("last answered"), null=True, blank=True, editable=False)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("feed")
        verbose_name_plural = _("feeds")

    def __str__(self) -> str:
        return f"{self.cooperative} · {self.get_kind_display()}"
