"""What orders and baskets know of a person, and when it goes.

Law wants the record of a sale for three years (电子商务法 31), and no more of a person than that needs
(个人信息保护法 19, 47). So an order of an account that was closed keeps the goods, the money, the name and the town it
went to; after its years it keeps the goods and the money.

Rows are changed set by set and found by what is still in them: a task that dies goes on where it was.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Exists, ManyToOneRel, Max, OuterRef, Q, QuerySet
from saleor.account.models import Address
from saleor.checkout.models import Checkout
from saleor.order.models import Order
from saleor.payment.models import Payment, Transaction

from backend.ordering.models import Claim, ClaimPhoto, Placement

AT_ONCE = 500


def thin_out_orders(*, order_pks: Collection[int]) -> None:
    """Of a closed account's orders: leave the goods, the money, the recipient's name and town, and the invoice."""
    with transaction.atomic():
        _forget_contacts(order_pks)
        addresses = _addresses_of(order_pks)
        Address.objects.filter(pk__in=addresses).update(
            street_address_1="", street_address_2="", postal_code="", phone=""
        )


def forget_old_orders(*, now: datetime) -> int:
    """Of orders that are older than law asks for, leave the goods and the money; answers how many were changed."""
    old = Order.objects.filter(created__lt=now - timedelta(days=settings.ORDERS_KEPT_DAYS)).filter(
        ~Q(user_email="") | Q(shipping_address__isnull=False) | Q(billing_address__isnull=False)
    )
    changed = 0
    while pks := list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            _forget_contacts(pks)
            addresses = _addresses_of(pks)
            Order.objects.filter(pk__in=pks).update(shipping_address=None, billing_address=None, metadata={})
            delete_strays(address_pks=addresses)
            Placement.objects.filter(order__in=pks).update(invoice_title="", invoice_tax_number="")
            Payment.objects.filter(order__in=pks).update(
                billing_first_name="",
                billing_last_name="",
                billing_company_name="",
                billing_city="",
                billing_city_area="",
                billing_country_area="",
                billing_postal_code="",
                cc_first_digits="",
                cc_last_digits="",
                extra_data="",
            )
            Transaction.objects.filter(payment__order__in=pks).update(customer_id=None, gateway_response={})
        changed += len(pks)
    return changed


def forget_old_baskets(*, now: datetime) -> int:
    """Delete baskets that nobody has touched for long; answers how many there were."""
    of_guests, of_buyers = (now - timedelta(days=days) for days in settings.BASKETS_KEPT_DAYS)
    old = Checkout.objects.filter(
        Q(user__isnull=True, last_change__lt=of_guests) | Q(user__isnull=False, last_change__lt=of_buyers)
    )
    deleted = 0
    while tokens := list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        delete_baskets(tokens=tokens)
        deleted += len(tokens)
    return deleted


@transaction.atomic
def delete_baskets(*, tokens: Collection[UUID]) -> None:
    """Delete baskets with the addresses that were typed for them."""
    baskets = Checkout.objects.filter(pk__in=tokens)
    addresses = {
        pk for pair in baskets.values_list("shipping_address", "billing_address") for pk in pair if pk
    }
    baskets.delete()
    delete_strays(address_pks=addresses)


def forget_stray_addresses(*, now: datetime) -> int:
    """Delete addresses that nothing refers to any more: a basket leaves its own behind when it is ordered.

    One that was made today may be about to be referred to. Keys grow with time, so those up to the newest of
    yesterday's orders are looked at.
    """
    newest = Order.objects.filter(created__lt=now - timedelta(days=1)).aggregate(
        newest=Max("shipping_address_id")
    )["newest"]
    deleted = 0
    while pks := list(
        _strays().filter(pk__lte=newest or 0).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
    ):
        Address.objects.filter(pk__in=pks).delete()
        deleted += len(pks)
    return deleted


def forget_ended_sessions(*, now: datetime) -> None:
    """Delete what sessions that are over remember: a name, and tokens."""
    Session.objects.filter(expire_date__lt=now).delete()


def delete_strays(*, address_pks: Collection[int]) -> None:
    """Delete those of these addresses that nothing refers to."""
    _strays().filter(pk__in=address_pks).delete()


def _strays() -> QuerySet[Address]:
    strays = Address.objects.all()
    for relation in Address._meta.get_fields(include_hidden=True):
        # An address book is a table of its own, which is among these.
        if isinstance(relation, ManyToOneRel):
            key = relation.field
            referring = key.model._base_manager.filter(**{key.name: OuterRef("pk")})
            strays = strays.filter(~Exists(referring))
    return strays


def _addresses_of(order_pks: Collection[int]) -> set[int]:
    """The orders' own addresses; of one that is in an address book as well, the orders let go first."""
    orders = Order.objects.filter(pk__in=order_pks)
    shared = list(
        Address.objects.filter(
            pk__in=orders.values("shipping_address").union(orders.values("billing_address"), all=True),
            user_addresses__isnull=False,
        ).values_list("pk", flat=True)
    )
    if shared:
        orders.filter(shipping_address__in=shared).update(shipping_address=None)
        orders.filter(billing_address__in=shared).update(billing_address=None)
    pairs = orders.values_list("shipping_address", "billing_address")
    return {pk for pair in pairs for pk in pair if pk}


def _forget_contacts(order_pks: Collection[int]) -> None:
    """How somebody can be reached, what they wrote, and what they showed."""
    Order.objects.filter(pk__in=order_pks).update(user_email="", customer_note="", tracking_client_id="")
    Placement.objects.filter(order__in=order_pks).update(gift_note="")
    Claim.objects.filter(order_line__order__in=order_pks).update(words="")
    ClaimPhoto.objects.filter(claim__order_line__order__in=order_pks).delete()
    Payment.objects.filter(order__in=order_pks).update(
        billing_email="", billing_address_1="", billing_address_2="", customer_ip_address=None
    )
    with connection.cursor() as cursor:
        # Whom a letter went to, and what was noted.
        cursor.execute(
            "UPDATE order_orderevent SET parameters = parameters - '{email,message}'::text[] WHERE order_id = ANY(%s)",
            [list(order_pks)],
        )
