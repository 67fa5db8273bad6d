"""Looking up a label's code, for anybody: guessing is slow."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backend.common.errors import ShopError
from backend.provenance.models import HarvestLot
from backend.provenance.selectors import lot_by_trace_code
from backend.saleor_port.attempts import Bucket, TooManyAttempts, give_back, take_from_address


class TooManyCodes(ShopError):
    """Too many wrong codes from one address."""

    code = "too_many_attempts"
    permanent = False


def traced_lot(*, trace_code: str, request: HttpRequest) -> HarvestLot | None:
    """The lot, or None for a code that is nobody's. Raises TooManyCodes after some wrong ones."""
    try:
        taken = take_from_address(bucket=Bucket.TRACE_CODE_FROM_ADDRESS, request=request)
    except TooManyAttempts as error:
        raise TooManyCodes(_("Too many codes that we do not know. Please try again later.")) from error
    lot = lot_by_trace_code(trace_code)
    if lot is not None:
        give_back(taken)
    return lot
