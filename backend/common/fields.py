"""Fields of models."""

from __future__ import annotations

import zlib
from typing import Any

from django.db import models


class CompressedField(models.BinaryField):
    """Bytes that the database keeps compressed (zlib), and that are otherwise read and written as they are.

    What is kept for ever and hardly ever read, such as a file that somebody sent, takes up a twentieth of its size, on
    the way to the database as well.
    """

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """The value as the database keeps it."""
        packed = None if value is None else zlib.compress(bytes(value), level=1)
        return super().get_db_prep_value(packed, connection, prepared)

    def from_db_value(self, value: Any, expression: object, connection: object) -> bytes | None:
        """The value as it was before it was kept."""
        return None if value is None else zlib.decompress(bytes(value))
