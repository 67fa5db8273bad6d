"""The one family of errors that this shop raises on purpose."""

from __future__ import annotations

from django.utils.functional import Promise


class ShopError(Exception):
    """Something that a person, or a client, can be told and can act upon.

    code: stable, for machines ("short_stock"); message: for the person who must act, may be a lazy
    translation; permanent: trying the same again cannot help (a broken file), as against a passing fault
    (a time-out). `str()` of the error is the message in the language active at that moment.
    """

    code: str = "error"
    permanent: bool = True

    def __init__(
        self, message: str | Promise = "", *, code: str | None = None, permanent: bool | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if permanent is not None:
            self.permanent = permanent

    def __str__(self) -> str:
        return str(self.message)
