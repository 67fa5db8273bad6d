"""Who may do what in the shop is shown to that person, and to those who manage staff."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from backend.saleor_port.registry import Replace, patch


@patch(
    name="private_permissions",
    reason="whoever gets hold of a User, or only of its id, reads its permissions and groups without permission",
)
def private_permissions() -> Iterator[Replace]:
    from saleor.graphql.account.types import User, UserPermission

    for name in ("permissions", "user_permissions", "permission_groups", "editable_groups"):
        resolver = vars(User)[f"resolve_{name}"].__func__
        yield Replace(User, f"resolve_{name}", staticmethod(_own(resolver)))

    plain_groups = UserPermission.resolve_source_permission_groups

    def source_permission_groups(root: Any, info: Any, user_id: str, **arguments: Any) -> Any:
        """In which groups somebody else is, only for those who manage staff."""
        import graphene
        from graphql_jwt.exceptions import PermissionDenied

        viewer = info.context.user
        if user_id != graphene.Node.to_global_id("User", viewer.pk) and not _manages_staff(info):
            raise PermissionDenied()
        return plain_groups(root, info, user_id, **arguments)

    yield Replace(UserPermission, "resolve_source_permission_groups", source_permission_groups)


def _own(plain: Callable[..., Any]) -> Callable[..., Any]:
    """The resolver, for the user itself and for those who manage staff. Raises PermissionDenied.

    Of a customer, who has none, it tells as much to those who manage customers.
    """
    from graphql_jwt.exceptions import PermissionDenied
    from saleor.core.permissions import AccountPermissions

    def resolve(root: Any, info: Any, **arguments: Any) -> Any:
        viewer = info.context.user
        is_own = viewer.is_authenticated and viewer.pk == root.pk
        of_customer = not root.is_staff and _has(info, AccountPermissions.MANAGE_USERS)
        if not is_own and not of_customer and not _manages_staff(info):
            raise PermissionDenied()
        return plain(root, info, **arguments)

    return resolve


def _manages_staff(info: Any) -> bool:
    from saleor.core.permissions import AccountPermissions

    return _has(info, AccountPermissions.MANAGE_STAFF)


def _has(info: Any, permission: Any) -> bool:
    from saleor.graphql.utils import get_user_or_app_from_context

    return bool(get_user_or_app_from_context(info.context).has_perm(permission))
