from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from backend.common.errors import ShopError
from backend.common.freshness import Subject, bump_on_commit
from backend.provenance.models import HarvestLot


class ReasonMissing(ShopError):
    """A recall without a reason tells a buyer nothing."""

    code = "recall_reason_missing"


@transaction.atomic
def recall_lots(*, lots: QuerySet[HarvestLot], now: datetime) -> int:
    """Recall all of these lots or none; one that was recalled before keeps its moment. Returns how many are new.

    Raises ReasonMissing for a lot that does not say what is wrong.
    """
    found = list(lots.filter(recalled_at__isnull=True).order_by("pk").select_for_update(of=("self",)))
    for lot in found:
        if not lot.recall_reason.strip():
            raise ReasonMissing(
                _("Lot %(code)s: please write why it is recalled and what a buyer should do, then recall it.")
                % {"code": lot.code}
            )
    for lot in found:
        lot.recalled_at = now
        lot.save(update_fields=["recalled_at"])
    bump_on_commit(Subject.CATALOGUE)
    return len(found)
