from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from graphql import ResolveInfo
from graphql_jwt.exceptions import PermissionDenied
from saleor.account.models import User

from backend.common.errors import ShopError
from backend.cooperatives.models import Cooperative
from backend.cooperatives.selectors import may_act_for


class UnknownCooperative(ShopError):
    code = "unknown_cooperative"


def signed_in(info: ResolveInfo) -> User:
    """The person behind the request. Raises PermissionDenied when there is none."""
    user = info.context.user
    if not user.is_authenticated:
        raise PermissionDenied(_("Please sign in."))
    return user


def own_cooperative(info: ResolveInfo, slug: str) -> Cooperative:
    """A cooperative that the signed-in person acts for; somebody else's is answered like one that does not exist."""
    user = signed_in(info)
    cooperative = Cooperative.objects.select_related("village").filter(slug=slug).first()
    if cooperative is None or not may_act_for(user=user, cooperative=cooperative):
        raise UnknownCooperative(_("There is no such cooperative among yours."))
    return cooperative
