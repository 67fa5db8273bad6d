from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from saleor.account.models import User

from backend.catalogue.waiting.models import Wait
from backend.catalogue.waiting.services import KEPT


@dataclass(frozen=True)
class Waiting:
    """What somebody waits for, in the reader's language. pk: of the Wait."""

    pk: int
    slug: str
    name: str
    pack: str
    asked_at: datetime
    until: datetime


def waits_of(*, user: User) -> list[Waiting]:
    """A buyer's own list, the oldest first; three queries however long it is."""
    waits = (
        Wait.objects.filter(user=user)
        .select_related("variant__product")
        .prefetch_related("variant__translations", "variant__product__translations")
    )
    return [
        Waiting(
            pk=wait.pk,
            slug=wait.variant.product.slug,
            name=str(wait.variant.product.translated),
            pack=str(wait.variant.translated),
            asked_at=wait.asked_at,
            until=wait.asked_at + KEPT,
        )
        for wait in waits
    ]
