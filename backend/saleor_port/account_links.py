"""Links that are sent by mail: each opens one thing, for one account, and dies with what it was made from.

Saleor makes all of them with one generator, so that the link for a new password confirms an account, too: whoever was
shut out by the shop's staff asks for a new password and lets himself in again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from backend.saleor_port.registry import Replace, everywhere, patch
from backend.saleor_port.tokens import fragment

AWAITING_CONFIRMATION = "awaiting_confirmation"
"""In an account's private metadata, from its registration until its first confirmation: only then may it be confirmed."""

EMAIL_CHANGE = "email change"


class NewPasswordLinks(PasswordResetTokenGenerator):
    key_salt = f"{__name__}.NewPasswordLinks"


class ConfirmationLinks(PasswordResetTokenGenerator):
    key_salt = f"{__name__}.ConfirmationLinks"


class DeletionLinks(PasswordResetTokenGenerator):
    key_salt = f"{__name__}.DeletionLinks"


new_password_links = NewPasswordLinks()
confirmation_links = ConfirmationLinks()
deletion_links = DeletionLinks()


def is_awaiting_confirmation(user: Any) -> bool:
    """Whether the account has been registered and never yet confirmed."""
    return AWAITING_CONFIRMATION in (user.private_metadata or {})


def invalid_link() -> ValidationError:
    """What is said of any link that opens nothing, whatever the reason."""
    from saleor.account.error_codes import AccountErrorCode

    sentence = _("This link is not valid, or no longer.")
    return ValidationError({"token": ValidationError(sentence, code=AccountErrorCode.INVALID.value)})


@patch(
    name="account_links",
    reason=(
        "one generator makes the tokens for a new password, for confirming and for deleting: a deactivated user "
        "activates himself; confirmEmailChange takes another user's token"
    ),
)
def account_links() -> Iterator[Replace]:
    from saleor.account import emails, events
    from saleor.account.error_codes import AccountErrorCode
    from saleor.account.models import User
    from saleor.account.utils import create_jwt_token, decode_jwt_token
    from saleor.core.utils import url as urls
    from saleor.graphql.account.mutations import account, base

    # ---- Made ----

    def send_user_password_reset_email_with_url(redirect_url: str, user: Any) -> None:
        emails._send_password_reset_email_with_url.delay(
            user.email, redirect_url, user.pk, new_password_links.make_token(user)
        )

    def send_set_password_email_with_url(redirect_url: str, user: Any, staff: bool = False) -> None:
        template = f"dashboard/{'staff' if staff else 'customer'}/set_password"
        emails._send_set_user_password_email_with_url.delay(
            user.email, redirect_url, new_password_links.make_token(user), template
        )

    def send_account_confirmation_email(user: Any, redirect_url: str) -> None:
        user.store_value_in_private_metadata({AWAITING_CONFIRMATION: True})
        user.save(update_fields=["private_metadata"])
        emails._send_account_confirmation_email.delay(
            user.email, confirmation_links.make_token(user), redirect_url
        )

    def send_account_delete_confirmation_email_with_url(redirect_url: str, user: Any) -> None:
        emails._send_account_delete_confirmation_email_with_url.delay(
            user.email, redirect_url, deletion_links.make_token(user)
        )

    for made in (
        send_user_password_reset_email_with_url,
        send_set_password_email_with_url,
        send_account_confirmation_email,
        send_account_delete_confirmation_email_with_url,
    ):
        yield from everywhere(getattr(emails, made.__name__), made)

    # ---- Opened ----

    yield Replace(base, "default_token_generator", new_password_links)
    yield Replace(account, "default_token_generator", deletion_links)

    plain_set_password = base.SetPassword._set_password_for_user.__func__

    @classmethod  # type: ignore[misc]  # it becomes a method of SetPassword
    def _set_password_for_user(cls: Any, email: str, password: str, token: str) -> None:
        if User.objects.filter(email=email, is_active=False).exists():
            raise invalid_link()
        plain_set_password(cls, email, password, token)

    @classmethod  # type: ignore[misc]  # it becomes a method of ConfirmAccount
    def confirm_account(cls: Any, _root: Any, info: Any, email: str, token: str) -> Any:
        with transaction.atomic():
            user = User.objects.select_for_update(of=("self",)).filter(email=email).first()
            if (
                user is None
                or not is_awaiting_confirmation(user)
                or not confirmation_links.check_token(user, token)
            ):
                raise invalid_link()
            user.is_active = True
            user.delete_value_from_private_metadata(AWAITING_CONFIRMATION)
            # Saleor gives it the orders that anybody made with this address. The link proves whose the mailbox is, not
            # whose the password: somebody else may have registered the address (CVE-2026-44472).
            user.save(update_fields=["is_active", "private_metadata"])
        return cls(user=user)

    yield Replace(base.SetPassword, "_set_password_for_user", _set_password_for_user)
    yield Replace(base.ConfirmAccount, "perform_mutation", confirm_account)

    # ---- Another e-mail address ----

    @classmethod  # type: ignore[misc]  # it becomes a method of RequestEmailChange
    def request_email_change(
        cls: Any, _root: Any, info: Any, password: str, new_email: str, redirect_url: str
    ) -> Any:
        user = info.context.user
        if not user.check_password(password):
            raise ValidationError(
                {
                    "password": ValidationError(
                        _("The password is not right."), code=AccountErrorCode.INVALID_CREDENTIALS.value
                    )
                }
            )
        new_email = User.objects.normalize_email(new_email)
        try:
            validate_email(new_email)
        except ValidationError as error:
            raise ValidationError({"new_email": error}) from error
        try:
            urls.validate_storefront_url(redirect_url)
        except ValidationError as error:
            raise ValidationError({"redirect_url": error}) from error
        # Whether the address is somebody's is said when its owner opens the link, and to nobody before.
        if not User.objects.filter(email=new_email).exists():
            token = create_jwt_token(
                {
                    "use": EMAIL_CHANGE,
                    "user_pk": user.pk,
                    "old_email": user.email,
                    "new_email": new_email,
                    "fragment": fragment(user),
                }
            )
            emails.send_user_change_email_url(redirect_url, user, new_email, token)
        return cls(user=user)

    @classmethod  # type: ignore[misc]  # it becomes a method of ConfirmEmailChange
    def confirm_email_change(cls: Any, _root: Any, info: Any, token: str) -> Any:
        link = decode_jwt_token(token)
        with transaction.atomic():
            user = User.objects.select_for_update(of=("self",)).get(pk=info.context.user.pk)
            made_from = {
                "use": EMAIL_CHANGE,
                "user_pk": user.pk,
                "old_email": user.email,
                "fragment": fragment(user),
            }
            if any(link.get(name) != value for name, value in made_from.items()):
                raise invalid_link()
            new_email = link["new_email"]
            if User.objects.filter(email=new_email).exists():
                raise ValidationError(
                    {
                        "new_email": ValidationError(
                            _("This address is another account's."), code=AccountErrorCode.UNIQUE.value
                        )
                    }
                )
            old_email, user.email = user.email, new_email
            user.save(update_fields=["email"])
            events.customer_email_changed_event(
                user=user, parameters={"old_email": old_email, "new_email": new_email}
            )
        emails.send_user_change_email_notification(old_email)
        return cls(user=user)

    yield Replace(account.RequestEmailChange, "perform_mutation", request_email_change)
    yield Replace(account.ConfirmEmailChange, "perform_mutation", confirm_email_change)
