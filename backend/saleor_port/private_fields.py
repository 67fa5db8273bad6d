"""Fields that show a person's affairs, or the gateway's, to whoever gets hold of the object around them.

An order is found by its token and a payment is answered by checkoutPaymentCreate; both links are in mails and on
phones. What belongs to the gateway is for staff, what belongs to an account is for that account and for staff.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from backend.saleor_port.registry import Replace, patch

Owner = Callable[[Any], Any]


@patch(
    name="private_fields",
    reason=(
        "orderByToken shows payments with the gateway's raw answers, addresses of clients and gift cards to anybody; "
        "User.orders, addresses and checkout follow from any User"
    ),
)
def private_fields() -> Iterator[Replace]:
    from saleor.core.permissions import AccountPermissions, OrderPermissions
    from saleor.graphql.account.types import User
    from saleor.graphql.order.types import Order
    from saleor.graphql.payment.types import Payment, Transaction

    orders, users = OrderPermissions.MANAGE_ORDERS, AccountPermissions.MANAGE_USERS
    staff = AccountPermissions.MANAGE_STAFF

    for name in ("token", "customer_ip_address", "extra_data", "billing_email", "order", "checkout"):
        yield _guarded(Payment, name, permissions=(orders,))
    for name in ("billing_address", "credit_card", "transactions"):
        yield _guarded(Payment, name, permissions=(orders,))
    for name in ("token", "error", "gateway_response", "payment"):
        yield _guarded(Transaction, name, permissions=(orders,))
    for name in ("payments", "gift_cards", "voucher"):
        yield _guarded(Order, name, permissions=(orders,), owner=lambda order: order.user)
    for name in ("addresses", "default_billing_address", "default_shipping_address"):
        yield _guarded(User, name, permissions=(users,), owner=lambda user: user, of_staff=(staff,))
    for name in ("gift_cards", "checkout"):
        yield _guarded(User, name, permissions=(users,), owner=lambda user: user)
    yield _guarded(User, "orders", permissions=(users, orders), owner=lambda user: user)
    for name in ("metadata", "meta"):
        yield _guarded(User, name, permissions=(users, orders), owner=lambda user: user, of_staff=(staff,))


def _guarded(
    graphene_type: Any,
    name: str,
    *,
    permissions: tuple[Any, ...],
    owner: Owner | None = None,
    of_staff: tuple[Any, ...] = (),
) -> Replace:
    """The field's resolver, for who has one of the permissions or is the owner; PermissionDenied for all others.

    of_staff: permissions that are enough where the object is a member of staff.
    """
    from graphql_jwt.exceptions import PermissionDenied

    plain = _resolver(graphene_type, name)

    def resolve(root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
        enough = permissions + of_staff if of_staff and root.is_staff else permissions
        if not _may(root, info, permissions=enough, owner=owner):
            raise PermissionDenied()
        if plain is None:
            return getattr(root, name)
        return plain(root, info, *args, **kwargs)

    return Replace(graphene_type, f"resolve_{name}", staticmethod(resolve))


def _resolver(graphene_type: Any, name: str) -> Callable[..., Any] | None:
    """The type's own, or the one of its interfaces, where graphene looks next."""
    for owner in (graphene_type, *graphene_type._meta.interfaces):
        found: Callable[..., Any] | None = getattr(owner, f"resolve_{name}", None)
        if found is not None:
            return found
    return None


def _may(root: Any, info: Any, *, permissions: tuple[Any, ...], owner: Owner | None) -> bool:
    user = info.context.user
    if owner is not None and user.is_authenticated and owner(root) == user:
        return True
    app = getattr(info.context, "app", None)
    return any(user.has_perm(each) or (app is not None and app.has_perm(each)) for each in permissions)


@patch(
    name="nobodys_addresses",
    reason="accountAddressUpdate and accountAddressDelete ask for the address book of nobody, and fail",
)
def nobodys_addresses() -> Iterator[Replace]:
    from saleor.graphql.account.mutations.account import AccountAddressDelete, AccountAddressUpdate

    for mutation in (AccountAddressDelete, AccountAddressUpdate):
        yield Replace(mutation, "check_permissions", _for_signed_in(mutation.check_permissions.__func__))


def _for_signed_in(plain: Any) -> Any:
    def check_permissions(cls: Any, context: Any, permissions: Any = None) -> bool:
        return bool(context.user.is_authenticated and plain(cls, context, permissions))

    return classmethod(check_permissions)
