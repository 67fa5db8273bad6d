"""Whether an address has an account here is nobody's business: the same answer, after the same work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from backend.saleor_port import tasks
from backend.saleor_port.account_links import invalid_link, is_awaiting_confirmation
from backend.saleor_port.registry import Replace, patch


@patch(
    name="account_enumeration",
    reason="requestPasswordReset, accountRegister and setPassword tell anybody who has an account here",
)
def account_enumeration() -> Iterator[Replace]:
    from saleor.account import emails
    from saleor.account.models import User
    from saleor.core.utils import url as urls
    from saleor.graphql.account.mutations import account, base

    @classmethod  # type: ignore[misc]  # it becomes a method of RequestPasswordReset
    def request_password_reset(cls: Any, _root: Any, info: Any, email: str, redirect_url: str) -> Any:
        try:
            urls.validate_storefront_url(redirect_url)
        except ValidationError as error:
            raise ValidationError({"redirect_url": error}) from error
        # A worker looks whether there is such an account, where nobody can take the time of it.
        tasks.send_password_reset.delay(email=email, redirect_url=redirect_url)
        return cls()

    plain_set_password = base.SetPassword._set_password_for_user.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of SetPassword
    def _set_password_for_user(cls: Any, email: str, password: str, token: str) -> None:
        try:
            plain_set_password(cls, email, password, token)
        except ValidationError as error:
            if "email" in getattr(error, "error_dict", {}):
                raise invalid_link() from None
            raise

    plain_register = account.AccountRegister.perform_mutation.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of AccountRegister
    def register(cls: Any, root: Any, info: Any, **data: Any) -> Any:
        if not settings.ENABLE_ACCOUNT_CONFIRMATION_BY_EMAIL:
            # Saleor looks at the password only where addresses are confirmed.
            try:
                validate_password(data["input"]["password"])
            except ValidationError as error:
                raise ValidationError({"password": error}) from error
            # Who may sign in at once learns at once whether the address was free.
            return plain_register(cls, root, info, **data)
        try:
            plain_register(cls, root, info, **data)
        except ValidationError as error:
            if not _is_taken(error):
                raise
            again(data["input"])
        return cls(user=None, errors=[])

    def again(given: dict[str, Any]) -> None:
        """The same work as for a new account. Whoever reads the mail that goes out is the one to be told."""
        password = make_password(given["password"])
        user = User.objects.get(email=User.objects.normalize_email(given["email"]))
        if is_awaiting_confirmation(user):
            # The latest one counts: a stranger who registered the address first holds a dead link.
            user.password = password
            user.save(update_fields=["password"])
            emails.send_account_confirmation_email(user, given["redirect_url"])
        else:
            tasks.send_already_registered.delay(user_id=user.pk)

    yield Replace(base.RequestPasswordReset, "perform_mutation", request_password_reset)
    yield Replace(base.SetPassword, "_set_password_for_user", _set_password_for_user)
    yield Replace(account.AccountRegister, "perform_mutation", register)


def _is_taken(error: ValidationError) -> bool:
    errors = getattr(error, "error_dict", {})
    return set(errors) == {"email"} and all(each.code == "unique" for each in errors["email"])
