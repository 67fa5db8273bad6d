"""Claims for what arrived spoilt, short or wrong (坏果包赔): opening and deciding.

**Who and when.** The buyer whose order it is; a guest's is theirs who know its token. One open claim a line, for packs
that were handed over and that no open or accepted claim is about. Fresh goods: settings.CLAIM_HOURS_FRESH after the
hand-over; goods with a seven-day return: CLAIM_HOURS_LASTING. The hand-over is when the packs were marked as packed,
or the end of the delivery window that was agreed, whichever is later.

**What is owed.** The price of those packs, less their share of a voucher on goods; staff may grant less. It is the
shop's debt from the moment that the claim is accepted, and the order's own figures stay as they are.

How it is given back: payouts.py.

Locks, always in this order: the order row; the claim.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User
from saleor.discount import VoucherType
from saleor.order import OrderStatus
from saleor.order.models import Order, OrderLine

from backend.ordering import tasks
from backend.ordering.errors import ClaimRefused
from backend.ordering.models import MOST_PHOTO_BYTES, Claim, ClaimPhoto
from backend.ordering.selectors import claimable_lines, is_order_of
from backend.saleor_port.uploads import Photo, photo_of

MOST_PHOTOS = 4
MOST_WORDS = 500
PHOTO_SIDE_PX = 1600
FEN = Decimal("0.01")


@dataclass(frozen=True)
class ClaimRequest:
    """What a buyer says. photos: as they were sent, not looked at yet."""

    order_token: UUID
    line_pk: int
    packs: int
    problem: str
    words: str
    idempotency_key: str
    photos: Sequence[File[Any]]

    def sha256(self) -> str:
        """A digest of all that was said and shown: tells a repeated request from another one."""
        said = [str(self.order_token), self.line_pk, self.packs, self.problem, self.words]
        digest = hashlib.sha256(json.dumps(said).encode())
        for photo in self.photos:
            photo.seek(0)
            digest.update(hashlib.sha256(photo.read()).digest())
        return digest.hexdigest()


# ---- Opening --------------------------------------------------------------------------------------------------------


def open_claim(*, request: ClaimRequest, user: User | None, now: datetime) -> Claim:
    """The claim, its photos drawn anew. The same key with the same request answers with the same claim for ever.

    Raises ClaimRefused, with the field to mend; then nothing was written.
    """
    _check_form(request)
    sha256 = request.sha256()
    # Looked at before the photos are: a stranger costs nothing, and a second tap little.
    order = _own_order(request=request, user=user)
    opened = _opened_before(request=request, sha256=sha256, order=order)
    if opened is not None:
        return opened
    try:
        _check_line(order=order, request=request, now=now)
    except ClaimRefused:
        # Its twin may have been quicker: then the line is claimed about already, by this very claim.
        opened = _opened_before(request=request, sha256=sha256, order=order)
        if opened is not None:
            return opened
        raise
    photos = [_drawn(photo) for photo in request.photos]
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
        opened = _opened_before(request=request, sha256=sha256, order=order)
        if opened is not None:
            return opened
        line = _check_line(order=order, request=request, now=now)
        claim = Claim.objects.create(
            order_line=line,
            packs=request.packs,
            problem=request.problem,
            words=request.words.strip(),
            idempotency_key=request.idempotency_key,
            request_sha256=sha256,
            opened_at=now,
        )
        ClaimPhoto.objects.bulk_create(
            ClaimPhoto(
                claim=claim, position=position, jpeg=photo.jpeg, width=photo.width, height=photo.height
            )
            for position, photo in enumerate(photos)
        )
        # robust: the claim stands even when the broker is away; the admin lists it.
        transaction.on_commit(partial(tasks.send_new_claim.delay, str(claim.pk)), robust=True)
    return claim


def _check_form(request: ClaimRequest) -> None:
    if not 8 <= len(request.idempotency_key) <= 100:
        raise ClaimRefused(
            _("The key has 8 to %(most)s characters.") % {"most": 100},
            code="idempotency_key_invalid",
            field="idempotencyKey",
        )
    if request.problem not in Claim.Problem.values:
        raise ClaimRefused(_("Please say what is wrong."), code="problem_missing", field="problem")
    if not request.words.strip():
        raise ClaimRefused(_("Please describe it in a sentence."), code="words_missing", field="words")
    if len(request.words) > MOST_WORDS or "\0" in request.words:
        raise ClaimRefused(
            _("Too long: %(most)s characters at most.") % {"most": MOST_WORDS},
            code="words_too_long",
            field="words",
        )
    if not 1 <= len(request.photos) <= MOST_PHOTOS:
        raise ClaimRefused(
            _("Please choose one to %(most)s photos.") % {"most": MOST_PHOTOS},
            code="photos_missing" if not request.photos else "too_many_photos",
            field="photos",
        )


def _own_order(*, request: ClaimRequest, user: User | None) -> Order:
    order = Order.objects.filter(token=str(request.order_token)).exclude(status=OrderStatus.DRAFT).first()
    if order is None or not is_order_of(order=order, user=user):
        raise ClaimRefused(_("There is no such order of yours."), code="not_found", field="order")
    return order


def _opened_before(*, request: ClaimRequest, sha256: str, order: Order) -> Claim | None:
    claim = Claim.objects.select_related("order_line").filter(idempotency_key=request.idempotency_key).first()
    if claim is None:
        return None
    if claim.request_sha256 != sha256 or claim.order_line.order_id != order.pk:
        raise ClaimRefused(
            _("This claim was sent already, with other details. Look it up on the order's page."),
            code="already_opened_differently",
            field="idempotencyKey",
        )
    return claim


def _check_line(*, order: Order, request: ClaimRequest, now: datetime) -> OrderLine:
    """The line that is claimed about. Raises ClaimRefused for one of another order, too late, or too many packs."""
    found = next(
        (
            each
            for each in claimable_lines(order_pks=[order.pk]).get(order.pk, ())
            if each.line.pk == request.line_pk
        ),
        None,
    )
    if found is None:
        if Claim.objects.filter(
            order_line=request.line_pk, order_line__order=order, status=Claim.Status.OPEN
        ).exists():
            raise ClaimRefused(
                _("A claim about this is open already: we are looking at it."),
                code="already_open",
                field="line",
            )
        raise ClaimRefused(
            _("Please choose which of the goods that you got."), code="line_unknown", field="line"
        )
    if now >= found.until:
        raise ClaimRefused(
            _(
                "The time for a claim about this is over: it was %(hours)s hours from the hand-over. Please call us."
            )
            % {"hours": found.hours},
            code="too_late",
            field="line",
        )
    if not 1 <= request.packs <= found.packs:
        raise ClaimRefused(
            _("How many packs? From 1 to %(most)s.") % {"most": found.packs},
            code="packs_invalid",
            field="packs",
        )
    return found.line


def _drawn(photo: File[Any]) -> Photo:
    try:
        return photo_of(photo, longest_side_px=PHOTO_SIDE_PX, most_bytes=MOST_PHOTO_BYTES)
    except ValidationError as error:
        raise ClaimRefused(" ".join(error.messages), code="photo_unreadable", field="photos") from error


# ---- Deciding -------------------------------------------------------------------------------------------------------


def worth_of(claim: Claim) -> Decimal:
    """What the buyer paid for the packs that are claimed: the most that can be granted. claim.order_line is read."""
    line = claim.order_line
    price = Decimal(line.unit_price_gross_amount) * claim.packs
    return (price * _paid_share(line.order)).quantize(FEN, rounding=ROUND_HALF_UP)


def _paid_share(order: Order) -> Decimal:
    """The part of the goods' prices that was really paid. A voucher on freight takes nothing off the goods."""
    voucher_type = order.voucher.type if order.voucher else VoucherType.ENTIRE_ORDER
    goods = sum(
        (Decimal(line.unit_price_gross_amount) * line.quantity for line in order.lines.all()), Decimal(0)
    )
    if voucher_type == VoucherType.SHIPPING or not goods or not order.discount_amount:
        return Decimal(1)
    return max(goods - Decimal(order.discount_amount), Decimal(0)) / goods


def accept_claim(
    *, claim_pk: UUID, amount: Decimal | None, staff: User, now: datetime, reason: str = ""
) -> Claim:
    """Grant a claim: the whole worth of its packs, or amount of it in CNY. The refund and the letter follow.

    Raises ClaimRefused for a claim that is decided, or an amount that is not above nothing and at most its worth.
    """
    with transaction.atomic():
        claim = _open_and_locked(claim_pk)
        worth = worth_of(claim)
        granted = worth if amount is None else amount.quantize(FEN, rounding=ROUND_HALF_UP)
        if not 0 < granted <= worth:
            raise ClaimRefused(
                _("From ¥0.01 to ¥%(most)s: what was paid for these packs.") % {"most": worth},
                code="amount_invalid",
                field="amount",
            )
        claim.status, claim.amount, claim.settlement = (
            Claim.Status.ACCEPTED,
            granted,
            Claim.Settlement.OWED,
        )
        _close(claim=claim, staff=staff, now=now, reason=reason)
    return claim


def refuse_claim(*, claim_pk: UUID, reason: str, staff: User, now: datetime) -> Claim:
    """Say no, and why. Raises ClaimRefused for a claim that is decided, or without a reason."""
    if not reason.strip():
        raise ClaimRefused(_("Please tell the buyer why."), code="reason_missing", field="reason")
    with transaction.atomic():
        claim = _open_and_locked(claim_pk)
        claim.status = Claim.Status.REFUSED
        _close(claim=claim, staff=staff, now=now, reason=reason)
    return claim


def _open_and_locked(claim_pk: UUID) -> Claim:
    claim = _locked(claim_pk)
    if claim.status != Claim.Status.OPEN:
        raise ClaimRefused(_("This claim is decided already."), code="decided")
    return claim


def _locked(claim_pk: UUID) -> Claim:
    return (
        Claim.objects.select_for_update(of=("self",))
        .select_related("order_line__order__voucher")
        .get(pk=claim_pk)
    )


def _close(*, claim: Claim, staff: User, now: datetime, reason: str) -> None:
    claim.decided_at, claim.decided_by, claim.reason = now, staff, reason.strip()
    claim.save()
    # robust: the decision stands even when the broker is away; the refund is then found by the clock.
    if claim.settlement == Claim.Settlement.OWED:
        transaction.on_commit(partial(tasks.pay_claim.delay, str(claim.pk)), robust=True)
    transaction.on_commit(partial(tasks.send_claim_decision.delay, str(claim.pk)), robust=True)
