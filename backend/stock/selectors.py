from __future__ import annotations

from backend.stock.models import Pack


def is_supplied(*, variant_pk: int) -> bool:
    """Whether some cooperative counts this variant: then its stock rows are the projection of the ledger."""
    return Pack.objects.filter(variant=variant_pk).exists()
