from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Village(models.Model):
    """A village of Xinyi town, or its industry park."""

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=50)
    name_en = models.CharField(_("English name"), max_length=80)
    summary = models.CharField(_("summary"), max_length=200)
    summary_en = models.CharField(_("English summary"), max_length=300)
    story = models.TextField(_("story"), blank=True)
    story_en = models.TextField(_("English story"), blank=True)
    picture = models.CharField(
        _("picture"),
        max_length=100,
        help_text=_("A static file, below pictures/villages/."),
    )
    map_x = models.PositiveSmallIntegerField(
        _("map x"), help_text=_("On the schematic map, 0 (west) to 1000 (east).")
    )
    map_y = models.PositiveSmallIntegerField(
        _("map y"), help_text=_("On the schematic map, 0 (north) to 1000 (south).")
    )
    is_park = models.BooleanField(_("industry park"), default=False)
    sort_order = models.PositiveSmallIntegerField(_("sort order"), default=0)

    class Meta:
        ordering = ("sort_order", "pk")
        verbose_name = _("village")
        verbose_name_plural = _("villages")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(map_x__lte=1000, map_y__lte=1000),
                name="village_lies_on_the_map",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Cooperative(models.Model):
    """A farmers' cooperative. Its Saleor warehouse is its shed: one each, so that a Stock row has one owner."""

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=120)
    village = models.ForeignKey(
        Village,
        on_delete=models.PROTECT,
        related_name="cooperatives",
        verbose_name=_("village"),
    )
    warehouse = models.OneToOneField(
        "warehouse.Warehouse",
        on_delete=models.PROTECT,
        related_name="cooperative",
        verbose_name=_("warehouse"),
    )
    summary = models.CharField(_("summary"), max_length=200, blank=True)
    summary_en = models.CharField(_("English summary"), max_length=300, blank=True)
    contact_name = models.CharField(_("contact"), max_length=50, blank=True)
    contact_phone = models.CharField(_("contact's phone"), max_length=20, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_demo = models.BooleanField(_("demo data"), default=False)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("cooperative")
        verbose_name_plural = _("cooperatives")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person who may act for a cooperative on the desk and through the API."""

    class Role(models.TextChoices):
        BOOKKEEPER = "bookkeeper", _("bookkeeper")
        MANAGER = "manager", _("manager")

    cooperative = models.ForeignKey(
        Cooperative,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("cooperative"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="cooperative_memberships",
        verbose_name=_("person"),
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.BOOKKEEPER)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=("cooperative", "user"),
                name="one_membership_per_person_and_cooperative",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.cooperative}"


class ProgramToken(models.Model):
    """What a cooperative's own program signs in with: it reports this cooperative's stock, and opens nothing else.

    The token itself is shown once and not kept; sha256 is of its text, which is random enough to need no salt.
    """

    cooperative = models.ForeignKey(
        Cooperative,
        on_delete=models.CASCADE,
        related_name="program_tokens",
        verbose_name=_("cooperative"),
    )
    name = models.CharField(_("name"), max_length=60, help_text=_("Of the program that uses it."))
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    ending = models.CharField(_("ends with"), max_length=4, editable=False)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("issued by"),
    )
    issued_at = models.DateTimeField(_("issued at"))
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        ordering = ("-issued_at", "-pk")
        verbose_name = _("program’s token")
        verbose_name_plural = _("programs’ tokens")

    def __str__(self) -> str:
        return f"{self.cooperative} · {self.name}"
