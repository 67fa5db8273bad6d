"""The photos of claims: who may see them, and for how long they are kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from saleor.account.models import User

from backend.ordering.models import ClaimPhoto
from backend.ordering.selectors import is_order_of


def claim_photo(*, order_token: UUID, photo_pk: UUID, user: User | None) -> bytes | None:
    """A photo's JPEG, for whose order it is; None for everybody else, and for one that is not there."""
    photo = (
        ClaimPhoto.objects.select_related("claim__order_line__order")
        .filter(pk=photo_pk, claim__order_line__order__token=str(order_token))
        .first()
    )
    if photo is None or not is_order_of(order=photo.claim.order_line.order, user=user):
        return None
    return bytes(photo.jpeg)


def forget_photos(*, now: datetime) -> int:
    """Delete the photos of claims that were decided settings.CLAIM_PHOTOS_DAYS ago. Returns how many."""
    closed_before = now - timedelta(days=settings.CLAIM_PHOTOS_DAYS)
    deleted, _by_model = ClaimPhoto.objects.filter(claim__decided_at__lt=closed_before).delete()
    return deleted
