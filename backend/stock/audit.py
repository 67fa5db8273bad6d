"""Does every figure lead back to the ledger? Compares balances, promises and Saleor's Stock rows with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from django.db import connection, transaction

from backend.stock import ledger
from backend.stock.ageing import find_overrated
from backend.stock.freshness import bump_stock_version_on_commit
from backend.stock.ledger import Balance, Entry
from backend.stock.models import Movement, Supply


class Drift(Enum):
    """Two figures that should be one."""

    ON_HAND = "on hand is not the sum of the movements"
    ALLOCATED = "what is promised is not the sum of the movements"
    PROMISES = "what is promised is not what Saleor has allocated"
    STOCK = "a Stock row is not the projection of the ledger"
    MISSING = "a pack has no Stock row"
    SHARED = "two supplies fill one Stock row"
    STRAY = "a variant that is supplied has a Stock row that no supply fills"
    SHORTFALL = "the open shortfall is not what is missing"
    AGE = "an old count is believed for more percent than the rule allows"


@dataclass(frozen=True)
class Finding:
    """One difference. supply_id: None for a Stock row that no supply fills. stock_id: where it is about a Stock row."""

    drift: Drift
    supply_id: int | None
    stock_id: int | None
    is_now: int
    should_be: int

    def __str__(self) -> str:
        where = f"supply {self.supply_id}" if self.supply_id is not None else "no supply"
        row = f", stock {self.stock_id}" if self.stock_id is not None else ""
        return f"{self.drift.value}: {where}{row}: {self.is_now}, should be {self.should_be}"


def find_drift(*, ages_at: datetime | None = None) -> list[Finding]:
    """Every difference there is, read at one moment; [] when all is well.

    ages_at: also look for counts of which more is believed than the rule allowed at that moment, which is a little
    ago: the rule is applied every few minutes.
    """
    is_nested = connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if not is_nested:
            # Orders go on meanwhile: all figures from one snapshot.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        findings = []
        for drift, query in _QUERIES.items():
            cursor.execute(query)
            findings += [Finding(drift, *row) for row in cursor.fetchall()]
        if ages_at is not None:
            findings += [
                Finding(Drift.AGE, supply_id, None, is_now, should_be)
                for supply_id, is_now, should_be in find_overrated(now=ages_at)
            ]
        return findings


def repair(*, now: datetime) -> list[Finding]:
    """Bring balances, promises and Stock rows in line; answers what was found.

    Balances follow the movements; what Saleor has allocated is a promise to a buyer, so the ledger is corrected to
    it; Stock rows follow the ledger. Two supplies for one Stock row, and what they promise, are left to a person.
    """
    with transaction.atomic():
        supplies = ledger.lock_supplies(supply_ids=list(Supply.objects.values_list("pk", flat=True)))
        findings = find_drift()
        # Also makes those that are missing, so after they were found to be.
        ledger.lock_stock_rows(supply_ids=list(supplies))
        _follow_movements([each for each in findings if each.drift in (Drift.ON_HAND, Drift.ALLOCATED)])
        _follow_promises(now=now)
        strays = [each.stock_id for each in findings if each.drift is Drift.STRAY]
        with connection.cursor() as cursor:
            cursor.execute(_EMPTY_STRAYS, [strays])
        ledger.project(supply_ids=list(supplies))
        ledger.settle_shortfalls(supply_ids=list(supplies), now=now)
        if findings:
            bump_stock_version_on_commit()
        return findings


def _follow_movements(findings: Sequence[Finding]) -> None:
    for finding in findings:
        if finding.supply_id is None:
            continue
        column = "on_hand" if finding.drift is Drift.ON_HAND else "allocated"
        Supply.objects.filter(pk=finding.supply_id).update(**{column: finding.should_be})


def _follow_promises(*, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SHARING)
        sharing = {supply_id for (supply_id,) in cursor.fetchall()}
        cursor.execute(_QUERIES[Drift.PROMISES])
        found = [Finding(Drift.PROMISES, *row) for row in cursor.fetchall() if row[0] not in sharing]
    if not found:
        return
    supplies = Supply.objects.in_bulk([each.supply_id for each in found])
    entries = [
        Entry(
            supply_id=each.supply_id,
            kind=Movement.Kind.CORRECTION,
            happened_at=ledger.happens_at(now=now, supply=supplies[each.supply_id]),
            allocated_delta=each.should_be - each.is_now,
        )
        for each in found
        if each.supply_id is not None
    ]
    balances = {
        pk: Balance(on_hand=supply.on_hand, allocated=supply.allocated) for pk, supply in supplies.items()
    }
    ledger.append(entries=entries, balances=balances, now=now)


_SUMS = """
    FROM stock_supply supply
    LEFT JOIN LATERAL (
        SELECT COALESCE(SUM(on_hand_delta), 0)::bigint AS on_hand,
               COALESCE(SUM(allocated_delta), 0)::bigint AS allocated
        FROM stock_movement movement WHERE movement.supply_id = supply.id
    ) moved ON true
"""

_ROWS = """
    FROM stock_pack pack
    JOIN stock_supply supply ON supply.id = pack.supply_id
    JOIN cooperatives_cooperative cooperative ON cooperative.id = supply.cooperative_id
    LEFT JOIN warehouse_stock stock
      ON stock.warehouse_id = cooperative.warehouse_id AND stock.product_variant_id = pack.variant_id
"""

# What is promised of a stray row stays promised; nothing more of it is sold.
_PROMISED = """COALESCE((
    SELECT SUM(allocation.quantity_allocated) FROM warehouse_allocation allocation WHERE allocation.stock_id = stock.id
), 0)"""

# Each answers supply, Stock row, the figure that is and the figure that should be.
_QUERIES = {
    Drift.ON_HAND: f"""
        SELECT supply.id, NULL, supply.on_hand, moved.on_hand {_SUMS}
        WHERE supply.on_hand <> moved.on_hand ORDER BY supply.id
    """,
    Drift.ALLOCATED: f"""
        SELECT supply.id, NULL, supply.allocated, moved.allocated {_SUMS}
        WHERE supply.allocated <> moved.allocated ORDER BY supply.id
    """,
    Drift.PROMISES: f"""
        SELECT supply.id, NULL, supply.allocated, promised.units
        FROM stock_supply supply
        JOIN (
            SELECT supply.id, COALESCE(SUM(allocation.quantity_allocated * pack.units), 0)::bigint AS units
            {_ROWS}
            LEFT JOIN warehouse_allocation allocation ON allocation.stock_id = stock.id
            GROUP BY supply.id
        ) promised ON promised.id = supply.id
        WHERE supply.allocated <> promised.units ORDER BY supply.id
    """,  # noqa: S608  (composed of the constants above, no value from outside)
    Drift.STOCK: f"""
        SELECT wanted.supply_id, wanted.id, wanted.is_now, wanted.quantity
        FROM ({ledger.PROJECTION}) wanted
        WHERE wanted.is_now <> wanted.quantity ORDER BY wanted.id
    """,  # noqa: S608  (composed of the constants above, no value from outside)
    Drift.MISSING: f"""
        SELECT supply.id, NULL, 0, 1 {_ROWS} WHERE stock.id IS NULL ORDER BY pack.id
    """,
    Drift.SHARED: f"""
        SELECT MIN(supply.id), stock.id, COUNT(*), 1 {_ROWS}
        WHERE stock.id IS NOT NULL GROUP BY stock.id HAVING COUNT(*) > 1 ORDER BY stock.id
    """,
    Drift.STRAY: f"""
        SELECT NULL, stock.id, stock.quantity, {_PROMISED}
        FROM warehouse_stock stock
        WHERE stock.quantity > {_PROMISED}
          AND EXISTS (SELECT FROM stock_pack pack WHERE pack.variant_id = stock.product_variant_id)
          AND NOT EXISTS (
            SELECT FROM stock_pack pack
            JOIN stock_supply supply ON supply.id = pack.supply_id
            JOIN cooperatives_cooperative cooperative ON cooperative.id = supply.cooperative_id
            WHERE pack.variant_id = stock.product_variant_id AND cooperative.warehouse_id = stock.warehouse_id
          )
        ORDER BY stock.id
    """,  # noqa: S608  (composed of the constants above, no value from outside)
    Drift.SHORTFALL: """
        SELECT supply.id, NULL, COALESCE(shortfall.base_units, 0), GREATEST(supply.allocated - supply.on_hand, 0)
        FROM stock_supply supply
        LEFT JOIN stock_shortfall shortfall ON shortfall.supply_id = supply.id AND shortfall.closed_at IS NULL
        WHERE COALESCE(shortfall.base_units, 0) <> GREATEST(supply.allocated - supply.on_hand, 0)
        ORDER BY supply.id
    """,
}

_SHARING = f"""
    SELECT supply.id {_ROWS} WHERE stock.id IN (SELECT stock.id {_ROWS} GROUP BY stock.id HAVING COUNT(*) > 1)
"""

_EMPTY_STRAYS = f"""
    UPDATE warehouse_stock stock SET quantity = {_PROMISED} WHERE stock.id = ANY(%s)
"""  # noqa: S608  (composed of the constants above, no value from outside)
