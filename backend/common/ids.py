"""Identifiers of rows."""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def time_ordered_uuid() -> UUID:
    """A UUID of version 7 (RFC 9562): milliseconds of Unix time, then chance.

    What was made one after the other lies side by side in an index, so that adding to it touches one page of it.
    """
    moment = time.time_ns() // 1_000_000
    number = (moment & (1 << 48) - 1) << 80 | secrets.randbits(80)
    # The version stands above 12 of the random bits, the variant above 62.
    number = number & ~(0xF << 76) | 7 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    return UUID(int=number)
