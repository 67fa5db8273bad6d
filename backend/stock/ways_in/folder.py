"""A folder on this server that a cooperative's files arrive in: by SFTP into a jail, a shared drive, a sync client.

One folder a feed, below FEEDS_FOLDER. A file is taken once it has stopped growing, then moved to done/; one that cannot
be read goes to refused/, with a note beside it that says why. Whoever may put files there may try anything: so
everything is opened relative to a directory that is held open, and no link is ever followed.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.stock.errors import FeedForbidden, FeedUnavailable, FeedUnreadable
from backend.stock.ways_in.files import (
    DONE,
    MOST_ENTRIES,
    REFUSED,
    Entry,
    is_taken,
    look,
    note,
    put_away_name,
)
from backend.stock.ways_in.source import MOST_BYTES, MOST_FILES, Fetched, Seen, Source

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def is_folder_name(name: str) -> bool:
    """Whether this is the name of one folder directly below FEEDS_FOLDER, and no way out of it."""
    return re.fullmatch(r"[\w][\w-]{0,99}", name) is not None


@contextmanager
def visit(source: Source) -> Iterator[FolderVisit]:
    if source.root is None:
        raise FeedForbidden(_("This shop watches no folders: FEEDS_FOLDER is not set."))
    if not is_folder_name(source.url):
        raise FeedForbidden(_("The name of one folder: letters, digits, - and _ without a blank or /."))
    descriptor = _open_folder(source.root, source.url)
    try:
        yield FolderVisit(descriptor=descriptor, known=source.seen)
    finally:
        os.close(descriptor)


@dataclass
class FolderVisit:
    """One look into a folder that is held open."""

    descriptor: int
    known: Seen
    remembered: dict[str, tuple[int, float, float]] = field(default_factory=dict)

    def documents(self) -> Iterator[Fetched]:
        whole, remembered = look(entries=self._entries(), seen=self.known, now=time.time())
        self.remembered = dict(remembered)
        for entry in whole[:MOST_FILES]:
            body = self._read(entry)
            if body is not None:
                yield Fetched(body=body, name=entry.name)

    def settle(self, document: Fetched, *, refusal: str) -> None:
        self._put_away(document.name, refusal=refusal)
        self.remembered.pop(document.name, None)

    @property
    def seen(self) -> Seen:
        return self.remembered

    def _entries(self) -> list[Entry]:
        entries = []
        # Not by os.scandir's own status, which may be a link's target.
        with os.scandir(self.descriptor) as listing:
            for number, found in enumerate(listing):
                if number >= MOST_ENTRIES:
                    raise FeedUnavailable(
                        format_lazy(_("There are more than {most} files in the folder."), most=MOST_ENTRIES)
                    )
                if not is_taken(found.name):
                    continue
                with suppress(FileNotFoundError):
                    status = os.stat(found.name, dir_fd=self.descriptor, follow_symlinks=False)
                    if _is_plain(status):
                        entries.append(
                            Entry(name=found.name, size=status.st_size, changed_at=status.st_mtime_ns / 1e9)
                        )
        return entries

    def _read(self, entry: Entry) -> bytes | None:
        """The file's bytes; None when it is gone, changing, or not what it was a moment ago."""
        try:
            # Not blocking: what has become a pipe since would be waited for without end.
            descriptor = os.open(
                entry.name,
                os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
                dir_fd=self.descriptor,
            )
        except OSError:
            return None
        with open(descriptor, "rb") as file:
            before = os.fstat(descriptor)
            if not _is_plain(before):
                return None
            body = file.read(MOST_BYTES + 1)
            after = os.fstat(descriptor)
        if len(body) > MOST_BYTES:
            self._put_away(
                entry.name,
                refusal=str(
                    format_lazy(_("The document is larger than {most} MB."), most=MOST_BYTES // (1024 * 1024))
                ),
            )
            raise FeedUnreadable(
                format_lazy(
                    _("“{name}” is larger than {most} MB."),
                    name=entry.name,
                    most=MOST_BYTES // (1024 * 1024),
                )
            )
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            return None
        return body

    def _put_away(self, name: str, *, refusal: str) -> None:
        target = REFUSED if refusal else DONE
        away = put_away_name(name, now=timezone.now())
        with suppress(FileExistsError):
            os.mkdir(target, 0o770, dir_fd=self.descriptor)
        try:
            directory = os.open(target, _DIRECTORY, dir_fd=self.descriptor)
        except OSError as error:
            raise FeedForbidden(
                format_lazy(_("“{name}” in the folder is not a directory."), name=target)
            ) from error
        try:
            try:
                os.rename(name, away, src_dir_fd=self.descriptor, dst_dir_fd=directory)
            except FileNotFoundError:
                return  # Somebody was quicker, its sender perhaps.
            except OSError as error:
                raise _unavailable(error) from error
            if refusal:
                written = os.open(
                    f"{away}.txt",
                    os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
                    0o660,
                    dir_fd=directory,
                )
                with open(written, "wb") as file:
                    # With its mark, so that Windows' editor shows Chinese.
                    file.write(note(name=name, refusal=refusal).encode("utf-8-sig"))
        finally:
            os.close(directory)


def _is_plain(status: os.stat_result) -> bool:
    """A file of its own: not a link, a pipe or a device, nor a second name of a file that lies elsewhere."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def _open_folder(root: Path, name: str) -> int:
    """Raises FeedUnavailable where it is not there, FeedForbidden where it is a link."""
    try:
        above = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unavailable(error) from error
    try:
        return os.open(name, _DIRECTORY, dir_fd=above)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise FeedForbidden(
                format_lazy(_("“{name}” in the folder is not a directory."), name=name)
            ) from error
        raise _unavailable(error) from error
    finally:
        os.close(above)


def _unavailable(error: OSError) -> FeedUnavailable:
    return FeedUnavailable(
        format_lazy(_("The folder cannot be read or written: {reason}."), reason=error.strerror or error)
    )
