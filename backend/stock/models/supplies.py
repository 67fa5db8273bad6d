"""What a cooperative has, in base units, and the packs it is sold in."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backend.cooperatives.models import Cooperative
from backend.provenance.models import HarvestLot

DIGEST_DIGITS = 16


class Supply(models.Model):
    """One cooperative's good, counted in a base unit and sold as one or more packs.

    on_hand and allocated are the running sums of this supply's movements, in base units (grams or pieces); both
    change only in the transaction that appends a movement, with this row locked. free = on_hand - allocated; it is
    negative only while a shortfall is open.
    """

    class Unit(models.TextChoices):
        GRAM = "g", _("grams")
        PIECE = "piece", _("pieces")

    cooperative = models.ForeignKey(
        Cooperative,
        on_delete=models.PROTECT,
        related_name="supplies",
        verbose_name=_("cooperative"),
    )
    code = models.CharField(
        _("code"),
        max_length=20,
        help_text=_("As the cooperative's books say, XY-0123."),
    )
    name = models.CharField(_("name"), max_length=80, help_text=_("As the cooperative's books say."))
    product = models.ForeignKey(
        "product.Product",
        on_delete=models.PROTECT,
        related_name="supplies",
        verbose_name=_("product"),
    )
    unit = models.CharField(_("base unit"), max_length=5, choices=Unit.choices, default=Unit.GRAM)
    container_name = models.CharField(
        _("container"),
        max_length=10,
        blank=True,
        help_text=_("筐, 箱, 袋 …: how the shed counts."),
    )
    container_units = models.PositiveIntegerField(
        _("base units in a container"),
        null=True,
        blank=True,
        help_text=_("Empty: must be asked."),
    )
    lot = models.ForeignKey(
        HarvestLot,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="supplies",
        verbose_name=_("lot on sale"),
    )
    on_hand = models.BigIntegerField(_("on hand"), default=0)
    allocated = models.BigIntegerField(_("allocated"), default=0)
    # The newest count that was applied. (counted_at, counted_sequence, counted_digest) orders counts, so that any
    # order of arrival ends in the same state; counts_from is counted_at, or when the report arrived where the
    # cooperative's clock was ahead: movements later than that are not in the count.
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    counted_sequence = models.BigIntegerField(_("sequence of the count"), default=0)
    # The first digits of the sha256 of what was said: as good as all to tell two counts apart, and in every row.
    counted_digest = models.CharField(max_length=DIGEST_DIGITS, blank=True, editable=False)
    counts_from = models.DateTimeField(null=True, blank=True, editable=False)
    counted_base_units = models.BigIntegerField(
        _("base units counted"), null=True, blank=True, editable=False
    )
    counted_unit = models.CharField(_("unit of the count"), max_length=20, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    is_perishable = models.BooleanField(
        _("perishable"),
        default=True,
        help_text=_("An old count shrinks what may be sold, until somebody counts again."),
    )
    # How much of the newest count is still believed; changed by age (backend.stock.ageing), 100 for a fresh count.
    believed_percent = models.PositiveSmallIntegerField(_("percent believed"), default=100, editable=False)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("supply")
        verbose_name_plural = _("supplies")
        constraints = [
            models.UniqueConstraint(
                fields=("cooperative", "code"),
                name="one_supply_per_code_and_cooperative",
            ),
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="a_shed_never_holds_less_than_nothing"),
            models.CheckConstraint(
                condition=Q(allocated__gte=0),
                name="nobody_is_promised_less_than_nothing",
            ),
            models.CheckConstraint(
                condition=Q(believed_percent__lte=100), name="no_count_is_believed_beyond_what_it_says"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def free(self) -> int:
        """Base units that are there and promised to nobody; negative while a shortfall is open."""
        return self.on_hand - self.allocated

    @property
    def sellable(self) -> int:
        """Base units that may be promised now: what is free, less what an old count is no longer believed for."""
        if not self.is_active or not self.believed_percent:
            return 0
        doubted = (self.counted_base_units or 0) * (100 - self.believed_percent) // 100
        return max(self.free - doubted, 0)


class Pack(models.Model):
    """A Saleor variant as it is filled from one supply: the variant's Stock row in the cooperative's warehouse."""

    supply = models.ForeignKey(
        Supply, on_delete=models.CASCADE, related_name="packs", verbose_name=_("supply")
    )
    variant = models.ForeignKey(
        "product.ProductVariant",
        on_delete=models.CASCADE,
        related_name="packs",
        verbose_name=_("variant"),
    )
    units = models.PositiveIntegerField(_("base units in a pack"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("pack")
        verbose_name_plural = _("packs")
        constraints = [
            models.UniqueConstraint(fields=("supply", "variant"), name="one_pack_per_supply_and_variant"),
            models.CheckConstraint(condition=Q(units__gt=0), name="a_pack_holds_something"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} ({self.units})"

    def clean(self) -> None:
        """A Stock row belongs to one supply: a cooperative fills a variant from one of its supplies only."""
        rivals = Pack.objects.filter(supply__cooperative=self.supply.cooperative_id, variant=self.variant_id)
        if rivals.exclude(pk=self.pk).exists():
            raise ValidationError(_("Another supply of this cooperative fills this variant already."))
