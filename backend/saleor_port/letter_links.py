"""Where the links in letters lead: to a page of the shop's own hosts, by the scheme that the shop itself is served by."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from backend.saleor_port.registry import Replace, everywhere, patch


@patch(
    name="letter_links",
    reason=(
        "a redirectUrl is looked at for its host alone: a stranger has the link for a new password sent to its owner as "
        "http://, to any port, or as javascript: and whatever else a mail program makes of it"
    ),
)
def letter_links() -> Iterator[Replace]:
    from saleor.core.utils import url as urls

    plain = urls.validate_storefront_url

    def validate_storefront_url(url: str) -> None:
        plain(url)
        parts, shop = urlsplit(url), urlsplit(settings.PUBLIC_URL)
        try:
            port = parts.port
        except ValueError as error:
            raise ValidationError(f"{url} has no such port.") from error
        # Without TLS the shop is a demo or under development, with its clients at ports of their own.
        schemes, at_home = (
            ({"https"}, port in {None, shop.port}) if settings.ENABLE_SSL else ({"http", "https"}, True)
        )
        if parts.scheme not in schemes or not at_home:
            raise ValidationError(f"{url} does not lead to a page of this shop.")

    yield from everywhere(plain, validate_storefront_url)
