from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from backend.catalogue.search.models import SearchEntry
from backend.catalogue.waiting.models import Wait, WaitLetter

__all__ = ["Dish", "Good", "Ingredient", "SearchEntry", "Storage", "Wait", "WaitLetter"]


class Storage(models.TextChoices):
    """How a good is kept; shelf life is given for this."""

    COLD = "cold", _("0–5 °C")
    COOL = "cool", _("8–12 °C")
    ROOM = "room", _("room temperature")


class Good(models.Model):
    """What a buyer of produce asks and Saleor's product does not answer."""

    product = models.OneToOneField(
        "product.Product",
        on_delete=models.CASCADE,
        related_name="good",
        verbose_name=_("product"),
    )
    pinyin = models.CharField(_("pinyin"), max_length=80, blank=True)
    season_months = ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name=_("months of the season"),
        default=list,
        blank=True,
        help_text=_("1 to 12; empty: all year."),
    )
    storage = models.CharField(_("storage"), max_length=5, choices=Storage.choices, default=Storage.COLD)
    shelf_life_days = models.PositiveSmallIntegerField(_("keeps for … days"), null=True, blank=True)
    origin = models.CharField(_("origin"), max_length=80, blank=True)
    origin_en = models.CharField(_("origin in English"), max_length=120, blank=True)
    village = models.ForeignKey(
        "cooperatives.Village",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="goods",
        verbose_name=_("village"),
    )
    is_returnable = models.BooleanField(
        _("seven-day return"),
        default=False,
        help_text=_("Fresh goods are exempt; defects are refunded all the same."),
    )
    is_demo = models.BooleanField(_("demo data"), default=False)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("good")
        verbose_name_plural = _("goods")

    def __str__(self) -> str:
        return str(self.product)

    def in_season(self, *, month: int) -> bool:
        """Whether the good is in season in a month, 1 to 12."""
        return not self.season_months or month in self.season_months


class FoodLabel(models.Model):
    """What has to be shown of a packaged, cured or pickled good before it is sold (食品安全法)."""

    good = models.OneToOneField(
        Good, on_delete=models.CASCADE, related_name="food_label", verbose_name=_("good")
    )
    producer = models.CharField(_("producer"), max_length=80)
    producer_en = models.CharField(_("producer in English"), max_length=120, blank=True)
    licence_number = models.CharField(
        _("licence or filing number"), max_length=40, help_text=_("SC…, or the number of the filing.")
    )
    standard = models.CharField(_("product standard"), max_length=60, blank=True)
    ingredients = models.CharField(_("ingredients"), max_length=300)
    ingredients_en = models.CharField(_("ingredients in English"), max_length=500, blank=True)
    allergens = models.CharField(
        _("allergens"), max_length=200, blank=True, help_text=_("Soya, gluten, …; empty: none.")
    )
    allergens_en = models.CharField(_("allergens in English"), max_length=300, blank=True)
    is_demo = models.BooleanField(_("demo data"), default=False)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("food label")
        verbose_name_plural = _("food labels")

    def __str__(self) -> str:
        return f"{self.licence_number} · {self.good}"


class Dish(models.Model):
    """A Sichuan dish, for two to three people."""

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=40)
    name_en = models.CharField(_("English name"), max_length=80)
    serves = models.PositiveSmallIntegerField(_("serves"), default=3)
    summary = models.CharField(_("summary"), max_length=200, blank=True)
    summary_en = models.CharField(_("English summary"), max_length=300, blank=True)
    sort_order = models.PositiveSmallIntegerField(_("sort order"), default=0)

    class Meta:
        ordering = ("sort_order", "pk")
        verbose_name = _("dish")
        verbose_name_plural = _("dishes")

    def __str__(self) -> str:
        return self.name


class Ingredient(models.Model):
    """What a dish takes. Without a product it is not sold here, and is named all the same."""

    dish = models.ForeignKey(
        Dish,
        on_delete=models.CASCADE,
        related_name="ingredients",
        verbose_name=_("dish"),
    )
    name = models.CharField(_("name"), max_length=40)
    name_en = models.CharField(_("English name"), max_length=80)
    product = models.ForeignKey(
        "product.Product",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="ingredients",
        verbose_name=_("product"),
    )
    alternatives = models.ManyToManyField(
        "product.Product", blank=True, related_name="+", verbose_name=_("alternatives")
    )
    amount = models.PositiveIntegerField(_("amount"), help_text=_("Grams, or pieces."))
    unit = models.CharField(
        _("unit"),
        max_length=5,
        choices=[("g", _("grams")), ("piece", _("pieces"))],
        default="g",
    )
    sort_order = models.PositiveSmallIntegerField(_("sort order"), default=0)

    class Meta:
        ordering = ("sort_order", "pk")
        verbose_name = _("ingredient")
        verbose_name_plural = _("ingredients")

    def __str__(self) -> str:
        return f"{self.name} {self.amount} {self.unit}"
