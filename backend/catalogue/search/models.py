"""The index: one row for everything that can be found."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

SUBJECTS = ("product", "dish", "village", "cooperative")


class SearchEntry(models.Model):
    """What one thing is found by. Derived: services writes it from the thing itself, and may write it anew any time."""

    class Kind(models.TextChoices):
        PRODUCT = "product", _("good")
        DISH = "dish", _("dish")
        VILLAGE = "village", _("village")
        COOPERATIVE = "cooperative", _("cooperative")

    kind = models.CharField(max_length=11, choices=Kind.choices)
    product = models.OneToOneField(
        "product.Product", on_delete=models.CASCADE, null=True, blank=True, related_name="search_entry"
    )
    dish = models.OneToOneField(
        "catalogue.Dish", on_delete=models.CASCADE, null=True, blank=True, related_name="search_entry"
    )
    village = models.OneToOneField(
        "cooperatives.Village", on_delete=models.CASCADE, null=True, blank=True, related_name="search_entry"
    )
    cooperative = models.OneToOneField(
        "cooperatives.Cooperative",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="search_entry",
    )
    slug = models.CharField(max_length=255)
    title = models.CharField(max_length=250)
    title_en = models.CharField(max_length=250, blank=True)
    # In Chinese, its own first: what a suggestion or a correction says.
    names = ArrayField(models.CharField(max_length=250), default=list)
    # Syllables with a space between them: the order of a list by pinyin.
    spoken = models.CharField(max_length=600, db_collation="C", blank=True)
    # Of a product: the lowest of its packs, before any sale; null where none has a weight.
    price_per_500g = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    lexemes = SearchVectorField()
    # Each name by ear, and without each of its letters.
    slips = ArrayField(models.CharField(max_length=40), default=list)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("search entry")
        verbose_name_plural = _("search entries")
        constraints = [
            models.CheckConstraint(
                name="a_search_entry_has_one_subject",
                condition=Q(kind="product", product__isnull=False)
                | Q(kind="dish", dish__isnull=False)
                | Q(kind="village", village__isnull=False)
                | Q(kind="cooperative", cooperative__isnull=False),
            )
        ]
        indexes = [
            GinIndex(fields=["lexemes"], name="search_entry_lexemes"),
            GinIndex(OpClass("slips", name="array_ops"), name="search_entry_slips"),
            models.Index(fields=["price_per_500g", "product"], name="search_entry_price"),
            models.Index(fields=["spoken", "product"], name="search_entry_spoken"),
        ]

    def __str__(self) -> str:
        return self.title
