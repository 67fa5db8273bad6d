"""Writing the ledger: locks, entries, balances, and their projection onto Saleor's Stock rows.

Everything here happens inside the caller's transaction. The order of locks is one for all: supplies in pk order, then
Stock rows in pk order. Whoever holds a supply is the only one who may append to it, project it, or promise from it, so
two baskets, or a basket and a report, never wait for one another in a circle.

Before its supplies a count takes its cooperative's turnstile, and a basket passes the turnstiles of the cooperatives that
it may buy from, in order. So a count waits once, for the baskets that are on their way, and not once more behind a new
queue at each of its goods.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection

from backend.stock.models import Movement, Supply

MOMENT = timedelta(microseconds=1)

# The first half of an advisory lock's key: "turn" in ASCII. The second is the cooperative.
_TURNSTILE = 0x7475726E


@dataclass(frozen=True)
class Cell:
    """The row of a report that a movement comes from, as it stood. base_units: what it says."""

    report_id: UUID
    row: int
    column: str
    code: str
    raw: str
    base_units: int | None
    unit: str


@dataclass(frozen=True)
class Entry:
    """One movement to append; deltas in base units."""

    supply_id: int
    kind: Movement.Kind
    happened_at: datetime
    on_hand_delta: int = 0
    allocated_delta: int = 0
    cell: Cell | None = None
    order_line_id: int | None = None


@dataclass(frozen=True)
class Balance:
    """What a supply holds and what of it is promised, in base units."""

    on_hand: int
    allocated: int


@dataclass(frozen=True)
class StockRow:
    """One of Saleor's Stock rows that a pack is projected onto."""

    pk: int
    supply_id: int
    variant_id: int
    warehouse_id: UUID
    units: int


def close_turnstile(*, cooperative_id: int) -> None:
    """Let no new basket in at this cooperative until the end of the transaction; waits for those that are in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_TURNSTILE, cooperative_id])


def pass_turnstiles(*, cooperative_ids: Collection[int]) -> None:
    """Go in at these cooperatives, after the counts that came before. Only who holds no supply yet may wait here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(%s, id) FROM unnest(%s::int[]) AS id",
            [_TURNSTILE, bigints(sorted(cooperative_ids))],
        )


def give_room() -> None:
    """Let the rest of the transaction sort and join a hundred thousand rows in memory."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '32MB'")


def expect_many_rows() -> None:
    """Let the rest of the transaction read tables whole, not row by row through an index.

    The planner takes what was written a moment ago for a row or two, since its statistics do not know of it yet.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")


def lock_supplies(*, supply_ids: Collection[int]) -> dict[int, Supply]:
    """Lock these supplies in pk order, and answer them as they are once locked, their lots with them."""
    supplies = (
        Supply.objects.select_for_update(of=("self",))
        .select_related("lot")
        .filter(pk__in=supply_ids)
        .order_by("pk")
    )
    return {supply.pk: supply for supply in supplies}


def hold_supplies(*, supply_ids: Collection[int] | Array) -> None:
    """Lock these supplies as `lock_supplies` does, for who reads them later."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM stock_supply WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE) held",
            [bigints(supply_ids)],
        )


def hold_shed(*, cooperative_id: int) -> None:
    """Lock all supplies of a cooperative as `hold_supplies` does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM stock_supply WHERE cooperative_id = %s ORDER BY id FOR UPDATE) held",
            [cooperative_id],
        )


def lock_stock_rows(*, supply_ids: Collection[int]) -> list[StockRow]:
    """Lock the Stock rows of these supplies' packs in pk order, and answer them; make those that are not there yet."""
    with connection.cursor() as cursor:
        # Two statements, of which the second sees what the first wrote, in one round trip.
        cursor.execute(f"{_MAKE_STOCK_ROWS}; {_LOCK_STOCK_ROWS}", [bigints(supply_ids)] * 2)
        cursor.nextset()
        return [StockRow(*row) for row in cursor.fetchall()]


def stock_rows(*, supply_ids: Collection[int]) -> list[StockRow]:
    """The Stock rows of these supplies' packs as far as there are any, not locked."""
    with connection.cursor() as cursor:
        cursor.execute(_STOCK_ROWS, [bigints(supply_ids)])
        return [StockRow(*row) for row in cursor.fetchall()]


def make_stock_rows(*, supply_ids: Collection[int] | Array) -> None:
    """Make those Stock rows of these supplies' packs that are not there yet, for who will project them.

    They need not be locked before: who holds a supply is the only one who touches its rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_STOCK_ROWS, [bigints(supply_ids)])


def make_stock_rows_of_shed(*, cooperative_id: int) -> None:
    """As `make_stock_rows`, for all supplies of a cooperative."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_STOCK_ROWS_OF_SHED, [cooperative_id])


def happens_at(*, now: datetime, supply: Supply) -> datetime:
    """When a movement that is recorded now happened: after the newest count that is applied.

    A caller's clock may have been read before it waited for the lock, and a count applied meanwhile.
    """
    if supply.counts_from is None:
        return now
    return max(now, supply.counts_from + MOMENT)


def append(*, entries: Sequence[Entry], balances: Mapping[int, Balance], now: datetime) -> None:
    """Append entries and bring the supplies' balances along.

    balances: of every supply among the entries, as read under its lock. The rows are written as given; what may not
    be (less than nothing on hand) the database refuses.
    """
    after = append_only(entries=entries, balances=balances, now=now)
    touched = sorted({entry.supply_id for entry in entries})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE stock_supply supply SET on_hand = new.on_hand, allocated = new.allocated
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS new(id, on_hand, allocated)
            WHERE supply.id = new.id
            """,
            [
                bigints(touched),
                bigints(after[supply_id].on_hand for supply_id in touched),
                bigints(after[supply_id].allocated for supply_id in touched),
            ],
        )


def append_only(
    *, entries: Sequence[Entry], balances: Mapping[int, Balance], now: datetime
) -> dict[int, Balance]:
    """Append entries, and answer the balances that the caller is to write on the supplies in the same transaction."""
    running = dict(balances)
    rows = []
    for entry in entries:
        before = running[entry.supply_id]
        after = Balance(
            on_hand=before.on_hand + entry.on_hand_delta, allocated=before.allocated + entry.allocated_delta
        )
        running[entry.supply_id] = after
        rows.append(
            (
                entry.supply_id,
                entry.kind.value,
                entry.on_hand_delta,
                entry.allocated_delta,
                after.on_hand,
                after.allocated,
                entry.order_line_id,
                entry.happened_at,
                now,
                *(_NO_CELL if entry.cell is None else astuple(entry.cell)),
            )
        )
    copy_rows(table="stock_movement", columns=_MOVEMENT_COLUMNS, rows=rows)
    return running


def project(*, supply_ids: Collection[int] | Array) -> int:
    """Bring the Stock rows of these supplies' packs in line with the ledger; answers how many were not.

    A row's quantity is the whole packs that are free plus the packs of it that are promised, because Saleor subtracts
    its allocations from it. The rows must be locked, and Saleor's allocations written, before.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PROJECT, [bigints(supply_ids)])
        changed: int = cursor.rowcount
    return changed


def project_shed(*, cooperative_id: int) -> None:
    """As `project`, for all supplies of a cooperative: there is no long list of them to be read."""
    with connection.cursor() as cursor:
        cursor.execute(_PROJECT_SHED, [cooperative_id])


def settle_shortfalls(*, supply_ids: Collection[int] | Array, now: datetime) -> None:
    """Open, change and close shortfalls so that each says what its supply lacks: allocated less on hand."""
    given: dict[str, str | datetime] = {"supplies": bigints(supply_ids), "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE_SHORTFALLS, given)
        cursor.execute(_OPEN_SHORTFALLS, given)


class Array(str):
    """Numbers as PostgreSQL writes them."""

    __slots__ = ()


def bigints(values: Iterable[int] | Array) -> Array:
    """Numbers as PostgreSQL writes an array, for `%s::bigint[]`: ten times quicker than the driver's way.

    What is one already stays as it is, so that a long one is written once for several statements.
    """
    return values if isinstance(values, Array) else Array("{" + ",".join(map(str, values)) + "}")


def copy_rows(*, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows through COPY: one statement, however many they are."""
    names = ", ".join(f'"{column}"' for column in columns)
    with (
        # Django leaves COPY's errors as the driver raises them; who tries again goes by Django's.
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def copy_binary(*, table: str, columns: Sequence[str], rows: Iterable[bytes]) -> None:
    """Write rows through COPY that are in PostgreSQL's binary format already: half of the work of `copy_rows`.

    rows: some at a time, each is its number of fields in two bytes, and for each field its length in four bytes and
    its value. They are sent as they come, and nothing else may be asked of the database meanwhile.
    """
    parts = filter(None, rows)
    first = next(parts, None)
    if first is None:
        return
    names = ", ".join(f'"{column}"' for column in columns)
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(_BINARY_BEGIN + first)
        for part in parts:
            copy.write(part)
        copy.write(_BINARY_END)


def binary_text(value: str) -> bytes:
    """A field of text, for `copy_binary`."""
    encoded = value.encode()
    return len(encoded).to_bytes(4) + encoded


def binary_bigint(value: int) -> bytes:
    """A field with a bigint, for `copy_binary`."""
    return b"\0\0\0\x08" + value.to_bytes(8, signed=True)


def binary_uuid(value: UUID) -> bytes:
    """A field with a UUID, for `copy_binary`."""
    return b"\0\0\0\x10" + value.bytes


def binary_moment(value: datetime) -> bytes:
    """A field with a moment, for `copy_binary`: microseconds since the year 2000."""
    return binary_bigint((value - _BINARY_EPOCH) // MOMENT)


_BINARY_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_BINARY_END = b"\xff\xff"
_BINARY_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_MOVEMENT_COLUMNS = (
    "supply_id",
    "kind",
    "on_hand_delta",
    "allocated_delta",
    "on_hand_after",
    "allocated_after",
    "order_line_id",
    "happened_at",
    "recorded_at",
    *(field.name for field in fields(Cell)),
)
_NO_CELL = (None, None, "", "", "", None, "")

_PACKS = """
    FROM stock_supply supply
    JOIN cooperatives_cooperative cooperative ON cooperative.id = supply.cooperative_id
    JOIN stock_pack pack ON pack.supply_id = supply.id
"""

_STOCK = """
    JOIN warehouse_stock stock
      ON stock.warehouse_id = cooperative.warehouse_id AND stock.product_variant_id = pack.variant_id
"""

_THESE = "supply.id = ANY(%s::bigint[])"
_OF_SHED = "supply.cooperative_id = %s"

# Not INSERT … ON CONFLICT alone: it would use up one of Saleor's 32-bit keys for every row that is there already.
_MAKE_STOCK_ROWS, _MAKE_STOCK_ROWS_OF_SHED = (
    f"""
    INSERT INTO warehouse_stock (warehouse_id, product_variant_id, quantity)
    SELECT cooperative.warehouse_id, pack.variant_id, 0
    {_PACKS}
    WHERE {which} AND NOT EXISTS (
        SELECT FROM warehouse_stock stock
        WHERE stock.warehouse_id = cooperative.warehouse_id AND stock.product_variant_id = pack.variant_id
    )
    ON CONFLICT DO NOTHING
    """  # noqa: S608  (composed of the constants above, no value from outside)
    for which in (_THESE, _OF_SHED)
)

_STOCK_ROWS = f"""
    SELECT stock.id, supply.id, pack.variant_id, stock.warehouse_id, pack.units
    {_PACKS} {_STOCK}
    WHERE supply.id = ANY(%s::bigint[])
    ORDER BY stock.id
"""

_LOCK_STOCK_ROWS = f"{_STOCK_ROWS} FOR UPDATE OF stock"

# What a Stock row should be. 2147483647: Saleor's quantity has 32 bits. Where nothing of the supply is promised, none of
# its packs is: nearly always, and then nobody looks.
_QUANTITY = """
    LEAST(
        2147483647,
        CASE WHEN supply.is_active AND supply.believed_percent > 0 THEN GREATEST(
            supply.on_hand - supply.allocated
            - COALESCE(supply.counted_base_units, 0) * (100 - supply.believed_percent) / 100,
            0
        ) / pack.units ELSE 0 END
        + CASE WHEN supply.allocated = 0 THEN 0 ELSE COALESCE((
            SELECT SUM(allocation.quantity_allocated) FROM warehouse_allocation allocation
            WHERE allocation.stock_id = stock.id
        ), 0) END
    )
"""

PROJECTION = f"""
    SELECT stock.id, stock.quantity AS is_now, {_QUANTITY} AS quantity, supply.id AS supply_id, pack.variant_id
    {_PACKS} {_STOCK}
"""

_PROJECT, _PROJECT_SHED = (
    f"""
    UPDATE warehouse_stock stock SET quantity = {_QUANTITY}
    {_PACKS}
    WHERE stock.warehouse_id = cooperative.warehouse_id AND stock.product_variant_id = pack.variant_id
      AND {which} AND stock.quantity <> {_QUANTITY}
    """  # noqa: S608  (composed of the constants above, no value from outside)
    for which in (_THESE, _OF_SHED)
)

_CHANGE_SHORTFALLS = """
    UPDATE stock_shortfall shortfall
    SET base_units = CASE WHEN supply.allocated > supply.on_hand
                          THEN supply.allocated - supply.on_hand ELSE shortfall.base_units END,
        closed_at = CASE WHEN supply.allocated > supply.on_hand
                         THEN NULL ELSE GREATEST(%(now)s, shortfall.opened_at) END
    FROM stock_supply supply
    WHERE shortfall.supply_id = supply.id AND shortfall.closed_at IS NULL AND supply.id = ANY(%(supplies)s::bigint[])
      AND shortfall.base_units <> supply.allocated - supply.on_hand
"""

_OPEN_SHORTFALLS = """
    INSERT INTO stock_shortfall (supply_id, base_units, opened_at)
    SELECT supply.id, supply.allocated - supply.on_hand, %(now)s
    FROM stock_supply supply
    WHERE supply.id = ANY(%(supplies)s::bigint[]) AND supply.allocated > supply.on_hand AND NOT EXISTS (
        SELECT FROM stock_shortfall shortfall
        WHERE shortfall.supply_id = supply.id AND shortfall.closed_at IS NULL
    )
"""
