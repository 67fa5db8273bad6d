"""Passwords of cooperatives' systems, sealed: the database, its backups and its logs hold what opens nothing."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from backend.stock.errors import FeedForbidden


def seal(secret: str) -> str:
    """Encrypt under the newest key. Raises FeedForbidden where the shop has none."""
    return _fernet().encrypt(secret.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """Decrypt under whichever of the keys it was sealed with. Raises FeedForbidden where that is none of them."""
    try:
        return _fernet().decrypt(sealed.encode("ascii")).decode()
    except (InvalidToken, UnicodeEncodeError):
        # Not chained: a traceback would show what was sealed.
        raise FeedForbidden(
            _("The feed's password was sealed with a key that this shop no longer has: enter it anew.")
        ) from None


def seal_anew(sealed: str) -> str:
    """The same secret under the newest key. Raises FeedForbidden."""
    return seal(unseal(sealed))


def _fernet() -> MultiFernet:
    keys = tuple(settings.FEED_CREDENTIALS_KEYS)
    if not keys:
        raise FeedForbidden(_("FEED_CREDENTIALS_KEY is not set: this shop can keep no passwords of feeds."))
    return _derived(keys)


@lru_cache(maxsize=4)
def _derived(keys: tuple[str, ...]) -> MultiFernet:
    """The first seals, all open: a new key is put in front, and the old one leaves when all is sealed anew."""
    return MultiFernet(
        [
            Fernet(
                base64.urlsafe_b64encode(
                    HKDF(
                        algorithm=hashes.SHA256(), length=32, salt=None, info=b"xinyi-basket feed credentials"
                    ).derive(key.encode())
                )
            )
            for key in keys
        ]
    )
