"""What every way in takes and gives: where to look, and the documents that were there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

MOST_BYTES = 10 * 1024 * 1024
"""Of one document, as sent and as unpacked."""

MOST_FILES = 20
"""Taken at one look into a folder or drop; the next look takes the others."""

Seen = Mapping[str, tuple[int, float, float]]
"""Of each file: bytes, when it was changed, and since when it has been seen so (seconds)."""


@dataclass(frozen=True)
class Source:
    """Where to look, and what is known from the last time.

    credential: one of Feed.Credential. allow_private: addresses inside this network are asked, too. patience_s: for how
    long a system may take over one document, from the first word to the last.
    """

    url: str
    credential: str = "none"
    username: str = ""
    secret: str = field(default="", repr=False)
    host_key: str = ""
    etag: str = ""
    last_modified: str = ""
    seen: Seen = field(default_factory=dict)
    allow_private: bool = False
    patience_s: float = 30.0
    root: Path | None = None


@dataclass(frozen=True)
class Fetched:
    """One document. body: None when it is the one that was had before. name: the file's, if it was one."""

    body: bytes | None
    etag: str = ""
    last_modified: str = ""
    name: str = ""


class Visit(Protocol):
    """One look at a source."""

    def documents(self) -> Iterator[Fetched]:
        """What is there. Raises FeedForbidden, FeedUnavailable, FeedUnreadable."""

    def settle(self, document: Fetched, *, refusal: str) -> None:
        """The document is kept: put the file away; with a note beside it if it was refused."""

    @property
    def seen(self) -> Seen:
        """What to remember for the next look."""


class WayIn(Protocol):
    """Opens a visit, and closes what it opened."""

    def __call__(self, source: Source) -> AbstractContextManager[Visit]: ...
