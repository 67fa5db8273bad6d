from __future__ import annotations

from saleor.account.models import User

from backend.cooperatives.models import Cooperative, Membership


def cooperatives_of(*, user: User) -> list[Cooperative]:
    """The active cooperatives that a person acts for, none for a stranger."""
    return list(
        Cooperative.objects.filter(memberships__user_id=user.pk, is_active=True).select_related("village")
    )


def may_act_for(*, user: User, cooperative: Cooperative) -> bool:
    """Whether a person may see and report the stock of a cooperative: its members, and the shop's own staff."""
    if not user.is_active:
        return False
    return user.has_perm("product.manage_products") or (
        cooperative.is_active and cooperative.memberships.filter(user_id=user.pk).exists()
    )


def may_manage(*, user: User, cooperative: Cooperative) -> bool:
    """Whether a person may let programs in: the cooperative's managers, and the shop's own staff."""
    if not user.is_active:
        return False
    return user.has_perm("product.manage_products") or (
        cooperative.is_active
        and cooperative.memberships.filter(user_id=user.pk, role=Membership.Role.MANAGER).exists()
    )
