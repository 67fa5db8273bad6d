"""What a watched folder and an SFTP drop have in common: which files are taken, when, and where they go."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.clock import in_shop_zone
from backend.stock.errors import FeedUnreadable
from backend.stock.ways_in.source import MOST_BYTES, Seen

DONE = "done"
REFUSED = "refused"

STABLE_SECONDS = 10.0
"""A file that has not changed between two looks this far apart is taken for whole."""

EMPTY_SECONDS = 600.0
"""A file without a byte is still being written, until it has been so for this long: then its sender must be told."""

MOST_ENTRIES = 1000
"""More than these in one place, and somebody has mistaken it for an archive."""

LONGEST_NAME = 150

# Half-written ones of browsers, of rsync and scp, of spreadsheet programs; and what hides.
_UNFINISHED = re.compile(r"(?i)^[.~]|~$|\.(part|partial|filepart|tmp|temp|crdownload|swp|lock|writing)$")


@dataclass(frozen=True)
class Entry:
    """One plain file. changed_at: seconds since 1970."""

    name: str
    size: int
    changed_at: float


def is_taken(name: str) -> bool:
    """Whether a file of that name is one to read, by its name alone."""
    return (
        0 < len(name.encode("utf-8", "replace")) <= LONGEST_NAME
        and name.isprintable()
        and not any(character in name for character in "/\\\0")
        and not _UNFINISHED.search(name)
    )


def look(*, entries: Iterable[Entry], seen: Seen, now: float) -> tuple[list[Entry], Seen]:
    """Which files are whole by now, oldest first; and what to remember of the others."""
    whole: list[Entry] = []
    remembered: dict[str, tuple[int, float, float]] = {}
    for entry in entries:
        before = seen.get(entry.name)
        as_before = before is not None and (before[0], before[1]) == (entry.size, entry.changed_at)
        since = before[2] if before is not None and as_before else now
        if as_before and now - since >= (STABLE_SECONDS if entry.size else EMPTY_SECONDS):
            whole.append(entry)
        remembered[entry.name] = (entry.size, entry.changed_at, since)
    return sorted(whole, key=lambda entry: (entry.changed_at, entry.name)), remembered


def check_size(entry: Entry) -> None:
    if entry.size > MOST_BYTES:
        raise FeedUnreadable(
            format_lazy(_("The document is larger than {most} MB."), most=MOST_BYTES // (1024 * 1024))
        )


def put_away_name(name: str, *, now: datetime) -> str:
    """Under which a file lies in done/ or refused/: no two of one name within a microsecond."""
    return f"{in_shop_zone(now):%Y%m%d-%H%M%S-%f}-{name}"


def note(*, name: str, refusal: str) -> str:
    """What is written beside a file that was refused."""
    return f"{name}\r\n\r\n{refusal}\r\n"
