"""The words that both the books and the rules use; no model among them."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Basis(TextChoices):
    """Which count a report gives."""

    SHELF = "shelf", _("in the shed, sold but not yet packed goods included")
    SELLABLE = "sellable", _("still for sale")


class Outcome(TextChoices):
    """What became of a row of a report."""

    ACCEPTED = "accepted", _("accepted")
    WAITING = "waiting", _("waiting for a person")
    REFUSED = "refused", _("refused")
    SKIPPED = "skipped", _("skipped")
