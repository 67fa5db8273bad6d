"""What the session remembers of a visitor: the API's token and a name. Never in a cookie."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.http import HttpRequest

_TOKEN = "api_token"
_PERSON = "person"


@dataclass(frozen=True)
class Person:
    """Who is signed in, as pages greet them. name: may be empty."""

    email: str
    name: str
    is_staff: bool

    @property
    def called(self) -> str:
        """The name, or what stands before the @."""
        return self.name or self.email.partition("@")[0]


def token(request: HttpRequest) -> str:
    """The API's token, or ''."""
    return str(request.session.get(_TOKEN, ""))


def person(request: HttpRequest) -> Person | None:
    """Who is signed in, or None."""
    kept = request.session.get(_PERSON)
    return Person(**kept) if kept and token(request) else None


def remember(request: HttpRequest, *, token: str, person: Person) -> None:
    """The session gets a new key, so that a key planted before the sign-in opens nothing."""
    request.session.cycle_key()
    request.session[_TOKEN] = token
    request.session[_PERSON] = asdict(person)


def forget(request: HttpRequest) -> None:
    """Forget token and name. The basket belongs to the browser, and stays."""
    if request.session.pop(_TOKEN, None) is not None:
        request.session.pop(_PERSON, None)
        request.session.cycle_key()
