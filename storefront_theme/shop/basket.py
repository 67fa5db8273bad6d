"""The visitor's basket: a Saleor checkout whose token lives in the session."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from storefront_theme import client

_BASKET = "basket"
MOST_OF_ONE_PACK = 50


class BasketRefused(Exception):
    """The message says what does not go, for the buyer. left: packs to be had, where that is the reason."""

    def __init__(self, message: str, *, left: int | None = None) -> None:
        super().__init__(message)
        self.left = left


class CodeRefused(Exception):
    """The message says why a code cannot be used, for the buyer."""


@dataclass(frozen=True)
class _Kept:
    """code: of the voucher in the basket, or ''."""

    id: str
    token: str
    count: int
    code: str = ""


def _kept(request: HttpRequest) -> _Kept | None:
    kept = request.session.get(_BASKET)
    return _Kept(**kept) if kept else None


def count(request: HttpRequest) -> int:
    """Packs in the basket, as of the last time this visitor changed or saw it."""
    kept = _kept(request)
    return kept.count if kept else 0


def token(request: HttpRequest) -> str:
    """The checkout's token, or ''."""
    kept = _kept(request)
    return kept.token if kept else ""


def forget(request: HttpRequest) -> None:
    """After the order is placed, or when the API no longer knows the basket."""
    request.session.pop(_BASKET, None)


def read(request: HttpRequest) -> dict[str, Any] | None:
    """The Checkout of documents/Basket.graphql, or None when there is none."""
    kept = _kept(request)
    if kept is None:
        return None
    checkout: dict[str, Any] | None = client.ask(request, "Basket", token=kept.token)["checkout"]
    if checkout is None:
        forget(request)
        return None
    _remember(request, checkout)
    return checkout


def take_up(request: HttpRequest, *, token: str) -> None:
    """Go on with the basket that a page of ours was drawn of, where the session has lost it. '' or an unknown one is none."""
    try:
        known = str(UUID(token))
    except ValueError:
        return
    checkout = client.ask(request, "Basket", token=known)["checkout"]
    if checkout is not None:
        _remember(request, checkout)


def add(request: HttpRequest, *, variant_id: str, quantity: int) -> None:
    """Put packs of one variant on top of what is there. Raises BasketRefused."""
    add_all(request, lines=[(variant_id, quantity)])


def add_all(request: HttpRequest, *, lines: Sequence[tuple[str, int]]) -> None:
    """Put packs (variant's id, how many) on top of what is there: all of them or none. Raises BasketRefused."""
    wanted = [{"variantId": variant_id, "quantity": quantity} for variant_id, quantity in lines]
    variant_id = lines[0][0] if len(lines) == 1 else ""
    kept = _kept(request)
    if kept is None:
        answer = client.ask(request, "BasketCreate", lines=wanted)["checkoutCreate"]
        _check(request, answer, variant_id=variant_id)
        kept = _remember(request, answer["checkout"])
        # For a signed-in buyer Saleor answers with the basket of the last visit, and leaves the lines out.
        if answer["created"]:
            return
    answer = client.ask(request, "BasketAdd", checkoutId=kept.id, lines=wanted)["checkoutLinesAdd"]
    if _is_gone(answer):
        forget(request)
        add_all(request, lines=lines)
        return
    _check(request, answer, variant_id=variant_id)
    _remember(request, answer["checkout"])


def put(request: HttpRequest, *, variant_id: str, quantity: int) -> None:
    """Say how many packs of a variant there shall be; 0 takes the line out. Raises BasketRefused."""
    kept = _kept(request)
    if kept is None:
        return
    answer = client.ask(
        request,
        "BasketUpdate",
        checkoutId=kept.id,
        lines=[{"variantId": variant_id, "quantity": quantity}],
    )["checkoutLinesUpdate"]
    if _is_gone(answer):
        forget(request)
        return
    _check(request, answer, variant_id=variant_id)
    _remember(request, answer["checkout"])


def add_code(request: HttpRequest, *, code: str) -> None:
    """Use a voucher. Raises CodeRefused, with the basket as it was."""
    kept = _kept(request)
    code = _plain(code)
    if not code:
        raise CodeRefused(_("Please give the code."))
    if kept is None:
        raise CodeRefused(_("The basket is empty."))
    answer = client.ask(request, "BasketAddCode", checkoutId=kept.id, code=code)["checkoutAddPromoCode"]
    for error in answer["checkoutErrors"]:
        # The API says it in the buyer's language.
        raise CodeRefused(error["message"])
    if answer["checkout"]["giftCards"]:
        # Saleor takes them into the basket, and orders are placed without: better said now.
        client.ask(request, "BasketRemoveCode", checkoutId=kept.id, code=code)
        raise CodeRefused(_("That is a gift card; gift cards cannot be used here yet."))
    _remember(request, answer["checkout"])


def remove_code(request: HttpRequest, *, code: str) -> None:
    """Take a voucher out; one that is not there is no error."""
    kept = _kept(request)
    if kept is None:
        return
    code = _plain(code)
    # What is taken out on purpose is not missed.
    request.session[_BASKET] = asdict(replace(kept, code=""))
    answer = client.ask(request, "BasketRemoveCode", checkoutId=kept.id, code=code)["checkoutRemovePromoCode"]
    if answer["checkout"]:
        _remember(request, answer["checkout"])


def _plain(code: str) -> str:
    """As it was meant: without spaces around it, full width or what no keyboard writes."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", code) if letter.isprintable()).strip()


def _is_gone(answer: dict[str, Any]) -> bool:
    return any(error["field"] == "checkoutId" for error in answer["checkoutErrors"])


def _check(request: HttpRequest, answer: dict[str, Any], *, variant_id: str) -> None:
    """Saleor's errors are English sentences for developers; the buyer hears ours. variant_id: '' for several."""
    if not answer["checkoutErrors"]:
        return
    codes = {error["code"] for error in answer["checkoutErrors"]}
    if "INSUFFICIENT_STOCK" in codes:
        if not variant_id:
            raise BasketRefused(
                _("Not all of it is left, with what your basket holds already. Nothing was added.")
            )
        found = client.ask(request, "PackLeft", id=variant_id)["productVariant"]
        left = found["quantityAvailable"] if found else 0
        name = (found["product"]["translation"] or found["product"])["name"] if found else ""
        if left <= 0:
            raise BasketRefused(_("%(name)s is sold out for today.") % {"name": name}, left=0)
        raise BasketRefused(
            _("Of %(name)s only %(left)s packs are left.") % {"name": name, "left": left},
            left=left,
        )
    if "QUANTITY_GREATER_THAN_LIMIT" in codes:
        raise BasketRefused(
            _("At most %(most)s packs of one good in an order.") % {"most": MOST_OF_ONE_PACK},
            left=MOST_OF_ONE_PACK,
        )
    if "PRODUCT_NOT_PUBLISHED" in codes or "NOT_FOUND" in codes:
        raise BasketRefused(_("That good is no longer sold here."), left=0)
    raise BasketRefused(_("That could not be put into the basket."))


def _remember(request: HttpRequest, checkout: dict[str, Any]) -> _Kept:
    code = (checkout["voucher"] or {}).get("code") if "voucher" in checkout else checkout["voucherCode"]
    kept = _Kept(id=checkout["id"], token=str(checkout["token"]), count=checkout["quantity"], code=code or "")
    before = _kept(request)
    if before and before.token == kept.token and before.code and not kept.code:
        messages.warning(
            request,
            _("The basket no longer fits the code %(code)s, so it was taken out.") % {"code": before.code},
        )
    if request.session.get(_BASKET) != asdict(kept):
        request.session[_BASKET] = asdict(kept)
    return kept


def quote_for(request: HttpRequest, *, address: dict[str, str]) -> None:
    """Tell the checkout where to, so that the API can say what deliveries there are and what they cost."""
    kept = _kept(request)
    if kept is not None:
        client.ask(request, "BasketRegion", checkoutId=kept.id, address=address)
