"""A buyer's address book has an end: whoever may add to it without limit fills our table."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from saleor.account.models import Address, User

from backend.common.errors import ShopError

MOST_ADDRESSES = 20


class AddressBookFull(ShopError):
    code = "address_book_full"


def has_room(*, user: User) -> bool:
    """Whether one more address fits in."""
    return bool(user.addresses.count() < MOST_ADDRESSES)


def wants(*, user: User, address: Address) -> bool:
    """Whether an address is new to the book, and fits in.

    Saleor tells addresses apart by every field, so that one whose name is typed in one field, as it is here, would
    stand beside its twin.
    """
    known = [_as_read(each) for each in user.addresses.all()[:MOST_ADDRESSES]]
    return len(known) < MOST_ADDRESSES and _as_read(address) not in known


def _as_read(address: Address) -> tuple[str, ...]:
    return (
        f"{address.last_name}{address.first_name}",
        str(address.phone),
        address.country_area,
        address.city,
        address.city_area,
        address.street_address_1,
        address.street_address_2,
    )


def make_sure_of_room(*, user_pk: int) -> None:
    """Lock the account, so that of two addresses at once the second is counted. Raises AddressBookFull."""
    user = User.objects.select_for_update(of=("self",)).get(pk=user_pk)
    if not has_room(user=user):
        raise AddressBookFull(
            _("You have %(most)s addresses, which is the most. Delete one that you no longer need.")
            % {"most": MOST_ADDRESSES}
        )
