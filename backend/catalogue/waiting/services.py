"""The waiting list (到货通知): one letter to one address when a pack that was sold out can be bought again.

Nobody is asked to confirm an address first: that would be a letter to whoever a stranger names, and would double what
comes to everybody else. An entry gives one letter at most and ends after 30 days, an address has 20 at most, entries
are limited by where they come from, and the first letter that was not asked for ends all others by its link.

First come, first served, and no more letters than there is stock for: a letter holds the place of one pack for a day.
An entry is deleted, and that is committed, before its letter is sent. So a task that runs twice, or dies, writes no
second letter; what it had deleted when it died is not written at all.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.db.models import Count, Max
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User
from saleor.core.emails import get_email_context
from saleor.product.models import Product, ProductVariant
from templated_email import get_templated_mail

from backend.catalogue.waiting.models import Wait, WaitLetter
from backend.common.errors import ShopError
from backend.saleor_port.availability import free_packs

log = structlog.get_logger(__name__)

MOST_OF_AN_ADDRESS = 20
KEPT = timedelta(days=30)
PLACE_HELD = timedelta(days=1)
LETTERS_AT_ONCE = 20
"""Deleted in one transaction, then sent: what a worker that is killed can lose."""
LOOKED_AT = 10 * LETTERS_AT_ONCE

# pg_advisory_xact_lock. Whoever counts what letters are left waits for whoever is taking some.
_LOCK_LETTERS = 0x77616974
_LOCK_ADDRESS = 0x61646472


class WaitRefused(ShopError):
    """The entry was not made; field names what to change."""

    code = "wait_refused"

    def __init__(self, message: str | Promise, *, code: str, field: str | None = None) -> None:
        super().__init__(message, code=code)
        self.field = field


@dataclass(frozen=True)
class Letter:
    """What one letter says. path: of the page where the pack is sold."""

    email: str
    name: str
    name_en: str
    pack: str
    pack_en: str
    path: str
    token: UUID


def wait_for(*, variant_pk: int, email: str, user: User | None, now: datetime) -> None:
    """Put an address on the waiting list of a pack. Twice is once.

    user: whose address it is, where somebody has signed in. A guest is answered the same whether the address waits
    already, has too many entries, or is new here. Raises WaitRefused for a pack that is not sold or not sold out,
    and for a user's own list that is full.
    """
    variant = ProductVariant.objects.filter(
        pk=variant_pk, product__in=Product.objects.published(), product__good__isnull=False
    ).first()
    if variant is None:
        raise WaitRefused(_("This is no longer sold."), code="unknown_variant", field="variant")
    if _can_be_bought(variant):
        raise WaitRefused(_("It can be bought now: no need to wait."), code="in_stock", field="variant")
    email = email.lower()
    with transaction.atomic():
        # Of two entries at once the second has to count the first.
        _lock(_LOCK_ADDRESS, email)
        others = list(Wait.objects.filter(email=email).order_by("pk"))
        same = next((wait for wait in others if wait.variant_id == variant_pk), None)
        if same is not None:
            if user is not None and same.user_id != user.pk:
                Wait.objects.filter(pk=same.pk).update(user=user)
            return
        if len(others) >= MOST_OF_AN_ADDRESS:
            if user is None:
                return
            raise WaitRefused(
                _("You wait for %(most)s goods already. Take one off your list first.")
                % {"most": MOST_OF_AN_ADDRESS},
                code="list_full",
            )
        Wait.objects.create(
            variant=variant,
            user=user,
            email=email,
            token=others[0].token if others else uuid.uuid4(),
            asked_at=now,
        )


def stop_wait(*, wait_pk: int, user: User) -> None:
    """Take an entry off the buyer's own list; one that is somebody else's, or gone, stays as it is."""
    Wait.objects.filter(pk=wait_pk, user=user).delete()


def stop_all(*, token: UUID) -> None:
    """End all waits of the address whose letter had this link."""
    Wait.objects.filter(token=token).delete()


def forget_old_waits(*, now: datetime) -> None:
    """Delete entries after 30 days, and letters that hold no place any more."""
    Wait.objects.filter(asked_at__lt=now - KEPT).delete()
    WaitLetter.objects.filter(sent_at__lt=now - PLACE_HELD).delete()


# ---- Letters ---------------------------------------------------------------------------------------------------------


def send_letters(*, now: datetime) -> int:
    """Write to everybody whose pack can be bought again; answers how many letters went out.

    Raises what the mail server says when it cannot be reached: then nothing has been taken off the list.
    """
    sent = 0
    while _turns(now=now):
        # Reached before anything is taken off the list.
        with get_connection() as mail:
            letters = claim_letters(now=now)
            for letter in letters:
                sent += _send(letter, mail=mail)
        if len(letters) < LETTERS_AT_ONCE:
            break
    return sent


@transaction.atomic
def claim_letters(*, now: datetime) -> list[Letter]:
    """Take those whose turn it is off the list. They are the caller's to write to, and nobody else's."""
    _lock(_LOCK_LETTERS, "")
    waits = _turns(now=now)
    letters = [_letter(wait) for wait in waits]
    WaitLetter.objects.bulk_create(WaitLetter(variant_id=wait.variant_id, sent_at=now) for wait in waits)
    Wait.objects.filter(pk__in=[wait.pk for wait in waits]).delete()
    return letters


def _turns(*, now: datetime) -> list[Wait]:
    """Whose turn it is, in the order in which they asked. Packs of one good share what lies in the shed.

    Four queries, however long the list is.
    """
    waited_for = {
        variant.pk: variant
        for variant in ProductVariant.objects.filter(
            pk__in=Wait.objects.order_by().values("variant"), product__in=Product.objects.published()
        ).annotate(units=Max("packs__units"))
    }
    if not waited_for:
        return []
    free = free_packs(list(waited_for), settings.DEFAULT_COUNTRY)
    left: dict[int, int] = {}
    for pk, packs in free.items():
        variant = waited_for[pk]
        left[variant.product_id] = max(left.get(variant.product_id, 0), packs * (variant.units or 1))
    for told in (
        WaitLetter.objects.filter(sent_at__gt=now - PLACE_HELD, variant__product__in=left)
        .order_by()
        .values("variant", "variant__product")
        .annotate(letters=Count("pk", distinct=True), units=Max("variant__packs__units"))
    ):
        left[told["variant__product"]] -= told["letters"] * (told["units"] or 1)
    open_ = [pk for pk, packs in free.items() if packs > 0 and left[waited_for[pk].product_id] > 0]
    turns: list[Wait] = []
    told_now: Counter[int] = Counter()
    for wait in (
        Wait.objects.filter(variant__in=open_, asked_at__gte=now - KEPT)
        .select_related("variant__product", "user")
        .prefetch_related("variant__translations", "variant__product__translations")
        .order_by("asked_at", "pk")[:LOOKED_AT]
    ):
        variant = waited_for[wait.variant_id]
        units = variant.units or 1
        if told_now[variant.pk] < free[variant.pk] and units <= left[variant.product_id]:
            left[variant.product_id] -= units
            told_now[variant.pk] += 1
            turns.append(wait)
    return turns[:LETTERS_AT_ONCE]


def _can_be_bought(variant: ProductVariant) -> bool:
    packs = free_packs([variant.pk], settings.DEFAULT_COUNTRY)
    return not variant.track_inventory or packs.get(variant.pk, 0) > 0


def _letter(wait: Wait) -> Letter:
    variant, product = wait.variant, wait.variant.product
    english_name, english_pack = _english(product), _english(variant)
    return Letter(
        # The address that the account has by now.
        email=wait.user.email if wait.user else wait.email,
        name=product.name,
        name_en=english_name,
        pack=variant.name,
        pack_en=english_pack,
        path=f"/p/{product.slug}/",
        token=wait.token,
    )


def _english(named: Product | ProductVariant) -> str:
    with translation.override("en"):
        return str(named.translated)


def _send(letter: Letter, *, mail: BaseEmailBackend) -> int:
    options, context = get_email_context()
    stop_url = f"{settings.PUBLIC_URL}/waiting/{letter.token}/"
    message = get_templated_mail(
        "catalogue/back_in_stock",
        {
            **context,
            "letter": letter,
            "goods_url": f"{settings.PUBLIC_URL}{letter.path}",
            "stop_url": stop_url,
        },
        to=[letter.email],
        # RFC 8058: mail programs show a button of their own.
        headers={
            "List-Unsubscribe": f"<{stop_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        **options,
    )
    try:
        mail.send_messages([message])
    except (SMTPException, OSError) as error:
        # It may have gone out all the same, so it is not tried again.
        log.warning("a letter to the waiting list failed", cause=type(error).__name__)
        return 0
    return 1


def _lock(kind: int, subject: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [kind, subject])
