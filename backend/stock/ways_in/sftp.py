"""A drop on somebody's SFTP server: looked into like a folder, by a server whose key is known beforehand.

asyncssh is used here alone. Nothing of this account's own SSH settings, keys or agent is looked at.
"""

from __future__ import annotations

import asyncio
import posixpath
import stat
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

import asyncssh
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.common.outside import AddressRefused, HostUnknown, pinned
from backend.stock.errors import FeedForbidden, FeedUnavailable, FeedUnreadable
from backend.stock.ways_in.files import (
    DONE,
    MOST_ENTRIES,
    REFUSED,
    Entry,
    check_size,
    is_taken,
    look,
    note,
    put_away_name,
)
from backend.stock.ways_in.source import MOST_BYTES, MOST_FILES, Fetched, Seen, Source

CONNECT_SECONDS = 10.0
WHOLE_SECONDS = 60.0

Answer = TypeVar("Answer")


@contextmanager
def visit(source: Source) -> Iterator[SftpVisit]:
    """Raises FeedForbidden (the address, the key), FeedUnavailable (no proper answer, a wrong password)."""
    # In a thread of its own: this one may have a loop that is running.
    with ThreadPoolExecutor(max_workers=1) as thread:
        runner = asyncio.Runner()
        opened = SftpVisit(
            runner=runner, thread=thread, source=source, deadline=time.monotonic() + WHOLE_SECONDS
        )
        try:
            opened.open()
            yield opened
        finally:
            opened.close()
            thread.submit(runner.close).result()


@dataclass
class SftpVisit:
    """One look into a drop, over one connection."""

    runner: asyncio.Runner
    thread: ThreadPoolExecutor
    source: Source
    deadline: float
    remembered: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    connection: asyncssh.SSHClientConnection | None = None
    client: asyncssh.SFTPClient | None = None

    def open(self) -> None:
        self._run(self._open())

    def close(self) -> None:
        if self.connection is not None:
            self.connection.abort()
            with suppress(FeedUnavailable, FeedForbidden):
                self._run(self.connection.wait_closed())

    def documents(self) -> Iterator[Fetched]:
        entries = self._run(self._entries())
        whole, remembered = look(entries=entries, seen=self.source.seen, now=time.time())
        self.remembered = dict(remembered)
        for entry in whole[:MOST_FILES]:
            try:
                check_size(entry)
                body = self._run(self._read(entry))
            except FeedUnreadable as error:
                self._run(self._put_away(entry.name, refusal=str(error)))
                raise FeedUnreadable(
                    format_lazy("“{name}”: {reason}", name=entry.name, reason=str(error))
                ) from error
            if body is not None:
                yield Fetched(body=body, name=entry.name)

    def settle(self, document: Fetched, *, refusal: str) -> None:
        self._run(self._put_away(document.name, refusal=refusal))
        self.remembered.pop(document.name, None)

    @property
    def seen(self) -> Seen:
        return self.remembered

    @property
    def _sftp(self) -> asyncssh.SFTPClient:
        if self.client is None:
            raise FeedUnavailable(_("The cooperative's system could not be reached, or broke off."))
        return self.client

    @property
    def _directory(self) -> str:
        return unquote(urlsplit(self.source.url).path) or "."

    def _path(self, *names: str) -> str:
        return posixpath.join(self._directory, *names)

    def _run(self, doing: Coroutine[Any, Any, Answer]) -> Answer:
        """Whatever may go wrong at the other end, in the words of this room."""

        async def in_time() -> Answer:
            async with asyncio.timeout(max(0.1, self.deadline - time.monotonic())):
                return await doing

        try:
            return self.thread.submit(self.runner.run, in_time()).result()
        except TimeoutError as error:
            raise FeedUnavailable(_("The cooperative's system did not answer in time.")) from error
        except asyncssh.HostKeyNotVerifiable as error:
            raise FeedForbidden(
                _("The SFTP server shows another key than the one written down: somebody may be in between.")
            ) from error
        except asyncssh.PermissionDenied as error:
            raise FeedUnavailable(_("The SFTP server refuses the user name or the password.")) from error
        except asyncssh.SFTPNoSuchFile as error:
            raise FeedUnavailable(_("There is no such directory on the SFTP server.")) from error
        except (asyncssh.Error, OSError) as error:
            raise FeedUnavailable(
                _("The cooperative's system could not be reached, or broke off.")
            ) from error

    async def _open(self) -> None:
        source = self.source
        parts = urlsplit(source.url)
        try:
            port = parts.port or 22
            target = pinned(
                url=parts._replace(netloc=f"{_shown(parts.hostname or '')}:{port}").geturl()
                if parts.username is None
                else source.url,
                allow_private=source.allow_private,
                schemes={"sftp"},
            )
        except AddressRefused as error:
            raise FeedForbidden(error.message) from error
        except HostUnknown as error:
            raise FeedUnavailable(error.message) from error
        except ValueError as error:
            raise FeedForbidden(_("The feed's address cannot be read.")) from error
        self.connection = await asyncssh.connect(
            target.url.host,
            port,
            username=source.username,
            password=source.secret if source.credential == "basic" else None,
            client_keys=_client_keys(source),
            known_hosts=([_host_key(source)], [], []),
            # Not this account's settings, agent or keys; no way through another host.
            config=None,
            agent_path=None,
            gss_host=None,
            agent_forwarding=False,
            preferred_auth=("password",) if source.credential == "basic" else ("publickey",),
            connect_timeout=CONNECT_SECONDS,
            login_timeout=CONNECT_SECONDS,
        )
        self.client = await self.connection.start_sftp_client()

    async def _entries(self) -> list[Entry]:
        entries = []
        number = 0
        async for found in self._sftp.scandir(self._directory):
            number += 1
            if number > MOST_ENTRIES:
                raise FeedUnavailable(
                    format_lazy(_("There are more than {most} files in the folder."), most=MOST_ENTRIES)
                )
            name = found.filename if isinstance(found.filename, str) else ""
            if not is_taken(name):
                continue
            status = await self._sftp.lstat(self._path(name))
            if status.permissions is not None and not stat.S_ISREG(status.permissions):
                continue
            entries.append(Entry(name=name, size=status.size or 0, changed_at=float(status.mtime or 0)))
        return entries

    async def _read(self, entry: Entry) -> bytes | None:
        """None when the file is gone, or grew while it was read."""
        body = bytearray()
        try:
            async with self._sftp.open(self._path(entry.name), "rb") as file:
                while chunk := await file.read(256 * 1024):
                    body += cast(bytes, chunk)
                    if len(body) > MOST_BYTES:
                        raise FeedUnreadable(
                            format_lazy(
                                _("The document is larger than {most} MB."), most=MOST_BYTES // (1024 * 1024)
                            )
                        )
        except asyncssh.SFTPNoSuchFile:
            return None
        return bytes(body) if len(body) == entry.size else None

    async def _put_away(self, name: str, *, refusal: str) -> None:
        target = REFUSED if refusal else DONE
        away = put_away_name(name, now=timezone.now())
        with suppress(asyncssh.SFTPError):
            # There already, most days; where it cannot be made, the move says so.
            await self._sftp.mkdir(self._path(target))
        await self._sftp.rename(self._path(name), self._path(target, away))
        if refusal:
            async with self._sftp.open(self._path(target, f"{away}.txt"), "wb") as file:
                await file.write(note(name=name, refusal=refusal).encode("utf-8-sig"))


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _host_key(source: Source) -> asyncssh.SSHKey:
    """The pinned key, with or without the host's name in front, as ssh-keyscan prints it."""
    words = source.host_key.split()
    for index, word in enumerate(words[:-1]):
        if word.startswith(("ssh-", "ecdsa-")):
            try:
                return asyncssh.import_public_key(" ".join(words[index : index + 2]))
            except asyncssh.KeyImportError:
                break
    raise FeedForbidden(_("The host key cannot be read; it looks like ssh-ed25519 AAAA…"))


def _client_keys(source: Source) -> list[asyncssh.SSHKey]:
    if source.credential != "ssh_key":
        return []
    try:
        return [asyncssh.import_private_key(source.secret)]
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        # Not chained: a traceback would show the key.
        raise FeedForbidden(
            _("The SSH key cannot be read; it begins with -----BEGIN and has no passphrase.")
        ) from None
