"""Bytes that are text: gone through in pieces, since the text of a whole file is two to four times as large."""

from __future__ import annotations

import codecs
import collections
import io
from collections.abc import Iterator
from dataclasses import dataclass

PIECE = 64 * 1024


@dataclass(frozen=True)
class Encoded:
    """A file's bytes and how they are to be read. start: where the text begins, behind a byte order mark."""

    raw: bytes
    encoding: str = "utf-8"
    start: int = 0

    def is_whole(self) -> bool:
        """Whether the bytes are text in that encoding, all of them."""
        try:
            collections.deque(self.pieces(), maxlen=0)
        except UnicodeDecodeError:
            return False
        return True

    def pieces(self) -> Iterator[str]:
        """The text, some of it at a time. Raises UnicodeDecodeError where the bytes are no such text."""
        decoder = codecs.getincrementaldecoder(self.encoding)()
        for place in range(self.start, len(self.raw), PIECE):
            yield decoder.decode(self.raw[place : place + PIECE])
        yield decoder.decode(b"", final=True)

    def open(self) -> io.TextIOWrapper:
        """The text from its beginning, its lines with the ends that they have."""
        # BytesIO makes no copy of bytes that nobody writes to.
        file = io.BytesIO(self.raw)
        file.seek(self.start)
        return io.TextIOWrapper(file, encoding=self.encoding, newline="")
