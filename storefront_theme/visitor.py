"""What the session remembers of a visitor: the API's token and a name. Never in a cookie."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.http import HttpRequest

_ACCESS = "api_access"
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
    return str(request.session.get(_ACCESS, ""))


def person(request: HttpRequest) -> Person | None:
    """Who is signed in, or None."""
    kept = request.session.get(_PERSON)
    return Person(**kept) if kept and token(request) else None


def remember(request: HttpRequest, *, token: str, person: Person) -> None:
    """The session gets a new key, so that a key planted before the sign-in opens nothing.

    A guest's basket stays; what somebody else had left in this session does not.
    """
    if request.session.get(_ACCESS):
        request.session.flush()
    request.session.cycle_key()
    request.session[_ACCESS] = token
    request.session[_PERSON] = asdict(person)


def forget(request: HttpRequest) -> None:
    """Forget who was here and all that they did: their basket is theirs, and waits for their next sign-in."""
    request.session.flush()
