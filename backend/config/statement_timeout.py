"""No statement of a web process runs for long, whoever thought of it. Workers have none: their work may take its time."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

STATEMENT_TIMEOUT_S = 8


def limit_statements() -> None:
    """From now on, for each connection that this process opens: once for a connection, not for a request."""
    connection_created.connect(_limit, dispatch_uid="statement timeout")


def _limit(*, connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{STATEMENT_TIMEOUT_S}s"])
