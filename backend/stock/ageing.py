"""What an old count is still worth: the older it is, the less of it may be sold.

The rule, settings.OLD_COUNTS, says from how many hours on how many percent of a count are believed: ((36, 50), (72, 0))
is all of it for 36 hours, half until 72, then nothing. What is believed less is withheld from what is free; what is
promised stays promised. It holds for perishable supplies; a new count ends it. A supply whose feed has been silent
for longer than its owner allows is withheld as a whole (`silence`). An empty rule withholds nothing by age.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from backend.stock import ledger
from backend.stock.freshness import bump_stock_version_on_commit
from backend.stock.silence import silenced_supplies

LATE = timedelta(hours=1)
"""By when a rule that should have struck has struck, or the audit says so."""

BATCH = 1_000
"""Supplies that are locked at a time: a rule that strikes all of them must not keep buyers waiting."""


def percent_believed(*, age: timedelta) -> int:
    """Percent of a perishable count of that age."""
    struck = [percent for hours, percent in settings.OLD_COUNTS if age >= timedelta(hours=hours)]
    return min(struck, default=100)


def shrink_old_counts(*, now: datetime) -> int:
    """Bring every supply, and its Stock rows, to what its count is worth by now; answers how many changed."""
    wanted, given = _wanted(now=now, silenced=silenced_supplies(now=now))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM stock_supply supply WHERE believed_percent <> {wanted} ORDER BY id",  # noqa: S608  (composed of numbers)
            given,
        )
        ids = [supply_id for (supply_id,) in cursor.fetchall()]
    changed = 0
    for begin in range(0, len(ids), BATCH):
        with transaction.atomic():
            changed += _shrink(supply_ids=ids[begin : begin + BATCH], wanted=wanted, given=given)
    return changed


def restore_belief(*, supply_ids: Collection[int], now: datetime) -> None:
    """For supplies whose newest count is another, older one again. Who calls has locked them, and projects them."""
    wanted, given = _wanted(now=now, silenced=silenced_supplies(now=now))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE stock_supply supply SET believed_percent = {wanted} WHERE id = ANY(%(ids)s::bigint[])",  # noqa: S608  (composed of numbers)
            {**given, "ids": ledger.bigints(supply_ids)},
        )


def find_overrated(*, now: datetime) -> list[tuple[int, int, int]]:
    """(supply, percent that is believed, percent that should be) where the rule was not applied in time."""
    wanted, given = _wanted(now=now, silenced=silenced_supplies(now=now))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, believed_percent, {wanted} FROM stock_supply supply "  # noqa: S608  (composed of numbers)
            f"WHERE believed_percent > {wanted} ORDER BY id",
            given,
        )
        return [(pk, is_now, should_be) for pk, is_now, should_be in cursor.fetchall()]


def _shrink(*, supply_ids: Collection[int], wanted: str, given: dict[str, str | datetime]) -> int:
    ledger.hold_supplies(supply_ids=supply_ids)
    ledger.make_stock_rows(supply_ids=supply_ids)
    with connection.cursor() as cursor:
        # Once more: somebody may have counted since.
        cursor.execute(
            f"UPDATE stock_supply supply SET believed_percent = {wanted} "  # noqa: S608  (composed of numbers)
            f"WHERE id = ANY(%(ids)s::bigint[]) AND believed_percent <> {wanted}",
            {**given, "ids": ledger.bigints(supply_ids)},
        )
        changed: int = cursor.rowcount
    if ledger.project(supply_ids=supply_ids):
        bump_stock_version_on_commit()
    return changed


def _wanted(*, now: datetime, silenced: Collection[int]) -> tuple[str, dict[str, str | datetime]]:
    """The percent that a supply's count is worth, as SQL, and its parameters."""
    steps = sorted(settings.OLD_COUNTS, reverse=True)
    cases = "".join(
        f"WHEN supply.counts_from <= %(now)s - interval '{int(hours)} hours' THEN {int(percent)} "
        for hours, percent in steps
    )
    wanted = (
        "(CASE WHEN supply.id = ANY(%(silenced)s::bigint[]) THEN 0 "
        f"WHEN NOT supply.is_perishable OR supply.counts_from IS NULL THEN 100 {cases}ELSE 100 END)"
    )
    return wanted, {"now": now, "silenced": ledger.bigints(sorted(silenced))}
