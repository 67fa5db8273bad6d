from backend.ordering.models.attempts import CheckoutAttempt
from backend.ordering.models.claims import MOST_PHOTO_BYTES, Claim, ClaimPhoto
from backend.ordering.models.delivery import DeliveryMethod
from backend.ordering.models.packing import PackedLot
from backend.ordering.models.placements import Placement

__all__ = [
    "MOST_PHOTO_BYTES",
    "CheckoutAttempt",
    "Claim",
    "ClaimPhoto",
    "DeliveryMethod",
    "PackedLot",
    "Placement",
]
