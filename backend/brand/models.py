from django.db import models
from django.utils.translation import gettext_lazy as _


class Campaign(models.Model):
    """A story that the town tells of its brand, one section of the brand page."""

    slug = models.SlugField(unique=True)
    title = models.CharField(_("title"), max_length=80)
    title_en = models.CharField(_("English title"), max_length=120)
    body = models.TextField(_("text"))
    body_en = models.TextField(_("English text"))
    picture = models.CharField(_("picture"), max_length=100, blank=True)
    is_published = models.BooleanField(_("published"), default=True)
    sort_order = models.PositiveSmallIntegerField(_("sort order"), default=0)

    class Meta:
        ordering = ("sort_order", "pk")
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")

    def __str__(self) -> str:
        return self.title
