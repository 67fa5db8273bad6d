"""Promising stock to orders, out of the ledger.

Packs of one supply share its base units, so a promise of one pack takes from all its siblings: what is promised is
summed and checked over a whole order before anything is written, with every supply and Stock row locked. An order for
what is sold out is refused before it locks anything: at a rush for the last boxes nearly all are, and a count, which
needs every row, would stand behind each of them. Variants that no cooperative supplies are kept by Saleor's own rules,
corrected (saleor_port).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from saleor.core.exceptions import AllocationError, InsufficientStock

from backend.saleor_port.warehouse import PlainStockKeeper
from backend.stock import ledger
from backend.stock.freshness import bump_stock_version_on_commit
from backend.stock.ledger import Balance, Entry, StockRow
from backend.stock.models import Movement, Pack, Supply

if TYPE_CHECKING:
    from saleor.order.models import Order, OrderLine
    from saleor.warehouse.models import Warehouse

Kind = Movement.Kind

_NEVER = datetime.max.replace(tzinfo=timezone.get_default_timezone())


@dataclass
class _Books:
    """What a call works on, read under the locks; left is what each supply may still promise while the call goes on."""

    supplies: dict[int, Supply]
    rows: list[StockRow]
    left: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.left = {pk: supply.sellable for pk, supply in self.supplies.items()}

    def balances(self) -> dict[int, Balance]:
        return {
            pk: Balance(on_hand=supply.on_hand, allocated=supply.allocated)
            for pk, supply in self.supplies.items()
        }


@dataclass(frozen=True)
class _Wanted:
    """What an order line asks for: packs of a variant."""

    line: OrderLine
    variant_id: int
    packs: int


@dataclass(frozen=True)
class _Offer:
    """A variant as one supply fills it. packs: as many as are free, before anything is locked."""

    variant_id: int
    supply_id: int
    cooperative_id: int
    packs: int


@dataclass(frozen=True)
class _Promise:
    """Packs of one Stock row promised to one order line."""

    order_line: OrderLine
    row: StockRow
    packs: int


def allocate(*, lines: Sequence[OrderLine], country_code: str, now: datetime) -> None:
    """Promise stock to every line of an order, or to none.

    lines: saved order lines; those whose variant is gone or is not tracked are passed over. Of several supplies the
    one whose lot must be sold first is taken first, then the one with the oldest count; a line may be split.

    Raises InsufficientStock for the first line that is short; its context["short"] is [(line, packs left), …] of all.
    """
    _allocate(
        wanted=[
            _Wanted(line=line, variant_id=line.variant.pk, packs=line.quantity)
            for line in lines
            if line.variant is not None and line.variant.track_inventory and line.quantity
        ],
        country_code=country_code,
        now=now,
        is_whole_order=True,
    )


def _allocate(
    *, wanted: Sequence[_Wanted], country_code: str, now: datetime, is_whole_order: bool = False
) -> None:
    """is_whole_order: nothing of this order holds a supply yet, so that it may wait for its turn."""
    if not wanted:
        return
    with transaction.atomic():
        offers, supplied = _offers_of(
            variant_ids={each.variant_id for each in wanted}, country_code=country_code
        )
        plain = [each for each in wanted if each.variant_id not in supplied]
        ours = [each for each in wanted if each.variant_id in supplied]
        reachable = {offer.supply_id for offer in offers}
        if ours:
            if _are_sold_out(wanted=ours, offers=offers):
                # Raises, unless somebody counted or gave back meanwhile.
                _share_out(wanted=ours, books=_glance_at_books(supply_ids=reachable))
            if is_whole_order:
                ledger.pass_turnstiles(cooperative_ids={offer.cooperative_id for offer in offers})
            books = _open_books(supply_ids=reachable)
            promises = _share_out(wanted=ours, books=books)
            _promise(promises=promises, books=books, now=now)
        if plain:
            keeper = PlainStockKeeper()
            keeper.lock({each.variant_id for each in plain})
            for each in sorted(plain, key=lambda each: each.variant_id):
                keeper.allocate(each.line, country_code, each.packs)


class LedgerStockKeeper:
    """Keeps stock for Saleor (backend.saleor_port.warehouse.StockKeeper), out of the ledger."""

    def lock(self, variant_ids: Collection[int]) -> None:
        """Lock every supply and Stock row of these variants, in the one order."""
        supply_ids = Pack.objects.filter(variant__in=variant_ids).values_list("supply", flat=True)
        _open_books(supply_ids=set(supply_ids))
        PlainStockKeeper().lock(variant_ids)

    def allocate(self, order_line: OrderLine, country_code: str, quantity: int) -> None:
        """Promise quantity packs to the line. Raises InsufficientStock."""
        if order_line.variant is None:
            raise InsufficientStock(order_line.variant, {"order_line": order_line})
        wanted = _Wanted(line=order_line, variant_id=order_line.variant.pk, packs=quantity)
        _allocate(wanted=[wanted], country_code=country_code, now=timezone.now())

    @transaction.atomic
    def deallocate(self, order_line: OrderLine, quantity: int) -> None:
        """Take back quantity packs of the line's promise. Raises AllocationError when it was for less."""
        if not _is_supplied(order_line.variant_id):
            PlainStockKeeper().deallocate(order_line, quantity)
            return
        books = _books_of_lines([order_line.pk])
        allocated = _allocations([order_line.pk])
        if sum(packs for _, _, packs in allocated) < quantity:
            raise AllocationError(order_line, quantity)
        _release(allocated=allocated, most=quantity, books=books, now=timezone.now())

    @transaction.atomic
    def deallocate_order(self, order: Order) -> None:
        """Take back every promise made to the order."""
        line_ids = list(order.lines.values_list("pk", flat=True))
        books = _books_of_lines(line_ids)
        _lock_plain_stocks(line_ids=line_ids)
        allocated = _allocations(line_ids)
        _release(allocated=allocated, most=None, books=books, now=timezone.now())

    @transaction.atomic
    def increase(
        self,
        order_line: OrderLine,
        warehouse: Warehouse,
        quantity: int,
        allocate: bool = False,
    ) -> None:
        """quantity packs come back to the warehouse's shed; with allocate they stay promised to the line."""
        pack = _pack_in(variant_id=order_line.variant_id, warehouse_pk=warehouse.pk)
        if pack is None:
            PlainStockKeeper().increase(order_line, warehouse, quantity, allocate)
            return
        books = _open_books(supply_ids={pack.supply_id})
        row = _row_in(books=books, variant_id=order_line.variant_id, warehouse_pk=warehouse.pk)
        units = quantity * row.units
        now = timezone.now()
        if allocate:
            _write_allocations([_Promise(order_line=order_line, row=row, packs=quantity)])
        entry = Entry(
            supply_id=row.supply_id,
            kind=Kind.RETURN,
            happened_at=ledger.happens_at(now=now, supply=books.supplies[row.supply_id]),
            on_hand_delta=units,
            allocated_delta=units if allocate else 0,
            order_line_id=order_line.pk,
        )
        _record(entries=[entry], books=books, now=now)

    @transaction.atomic
    def decrease(self, order_line: OrderLine, quantity: int, warehouse_pk: UUID | str) -> None:
        """quantity packs leave the warehouse's shed, and as much of the line's promise with them.

        What was promised here goes first; for the rest, goods that are free here go and promises elsewhere are taken
        back. Raises InsufficientStock when the shed has less than that.
        """
        pack = _pack_in(variant_id=order_line.variant_id, warehouse_pk=warehouse_pk)
        if pack is None:
            if _is_supplied(order_line.variant_id):
                raise InsufficientStock(
                    order_line.variant,
                    {"order_line": order_line, "warehouse_pk": warehouse_pk},
                )
            PlainStockKeeper().decrease(order_line, quantity, warehouse_pk)
            return
        books = _books_of_lines([order_line.pk], more={pack.supply_id})
        row = _row_in(books=books, variant_id=order_line.variant_id, warehouse_pk=warehouse_pk)
        allocated = _allocations([order_line.pk])
        here = sum(packs for _, stock_id, packs in allocated if stock_id == row.pk)
        promised = min(here, quantity)
        unpromised = quantity - promised
        supply = books.supplies[row.supply_id]
        units = quantity * row.units
        if supply.on_hand < units or (unpromised and supply.free < unpromised * row.units):
            raise InsufficientStock(
                order_line.variant,
                {"order_line": order_line, "warehouse_pk": warehouse_pk},
            )
        now = timezone.now()
        _take_allocations([(order_line.pk, row.pk, promised)])
        entry = Entry(
            supply_id=row.supply_id,
            kind=Kind.FULFIL,
            happened_at=ledger.happens_at(now=now, supply=supply),
            on_hand_delta=-units,
            allocated_delta=-promised * row.units,
            order_line_id=order_line.pk,
        )
        elsewhere = [each for each in allocated if each[1] != row.pk]
        released = _released(allocated=elsewhere, most=unpromised, books=books, now=now)
        _record(entries=[entry, *released], books=books, now=now)


# ---- Reading --------------------------------------------------------------------------------------------------------


def _offers_of(*, variant_ids: Collection[int], country_code: str) -> tuple[list[_Offer], set[int]]:
    """What can fill these variants for this country; and which of the variants are supplied at all."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pack.variant_id, pack.supply_id, supply.cooperative_id, (supply.on_hand - supply.allocated) / pack.units,
                supply.is_active AND cooperative.is_active AND EXISTS (
                    SELECT FROM warehouse_warehouse_shipping_zones served
                    JOIN shipping_shippingzone zone ON zone.id = served.shippingzone_id
                    WHERE served.warehouse_id = cooperative.warehouse_id AND zone.countries LIKE %s
                )
            FROM stock_pack pack
            JOIN stock_supply supply ON supply.id = pack.supply_id
            JOIN cooperatives_cooperative cooperative ON cooperative.id = supply.cooperative_id
            WHERE pack.variant_id = ANY(%s)
            """,
            [f"%{country_code}%", list(variant_ids)],
        )
        found = cursor.fetchall()
    return [_Offer(*offer) for *offer, is_open in found if is_open], {variant for variant, *_ in found}


def _are_sold_out(*, wanted: Sequence[_Wanted], offers: Iterable[_Offer]) -> bool:
    """Whether some variant is short whoever else comes or goes: more is wanted than all its supplies have free."""
    packs: dict[int, int] = defaultdict(int)
    for offer in offers:
        packs[offer.variant_id] += max(0, offer.packs)
    for each in wanted:
        packs[each.variant_id] -= each.packs
    return any(left < 0 for left in packs.values())


def _glance_at_books(*, supply_ids: Collection[int]) -> _Books:
    """Supplies and Stock rows as they are at this moment, not locked: to refuse by, not to promise by."""
    supplies = Supply.objects.select_related("lot").in_bulk(list(supply_ids))
    return _Books(supplies=supplies, rows=ledger.stock_rows(supply_ids=list(supplies)))


def _is_supplied(variant_id: int | None) -> bool:
    return Pack.objects.filter(variant=variant_id).exists()


def _pack_in(*, variant_id: int | None, warehouse_pk: UUID | str) -> Pack | None:
    warehouse_pk = UUID(str(warehouse_pk))
    return Pack.objects.filter(variant=variant_id, supply__cooperative__warehouse=warehouse_pk).first()


def _row_in(*, books: _Books, variant_id: int | None, warehouse_pk: UUID | str) -> StockRow:
    return next(
        row
        for row in books.rows
        if row.variant_id == variant_id and str(row.warehouse_id) == str(warehouse_pk)
    )


def _open_books(*, supply_ids: Collection[int]) -> _Books:
    """Lock supplies, then their Stock rows, and read both."""
    supplies = ledger.lock_supplies(supply_ids=supply_ids)
    return _Books(supplies=supplies, rows=ledger.lock_stock_rows(supply_ids=list(supplies)))


def _books_of_lines(line_ids: Collection[int], more: Iterable[int] = ()) -> _Books:
    """The books of the supplies from which something is promised to these order lines, and of `more`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT supply.id
            FROM warehouse_allocation allocation
            JOIN warehouse_stock stock ON stock.id = allocation.stock_id
            JOIN cooperatives_cooperative cooperative ON cooperative.warehouse_id = stock.warehouse_id
            JOIN stock_supply supply ON supply.cooperative_id = cooperative.id
            JOIN stock_pack pack ON pack.supply_id = supply.id AND pack.variant_id = stock.product_variant_id
            WHERE allocation.order_line_id = ANY(%s)
            """,
            [list(line_ids)],
        )
        supply_ids = {supply_id for (supply_id,) in cursor.fetchall()}
    return _open_books(supply_ids=supply_ids | set(more))


def _lock_plain_stocks(*, line_ids: Collection[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT FROM warehouse_stock WHERE id IN (
                SELECT stock_id FROM warehouse_allocation WHERE order_line_id = ANY(%s)
            ) ORDER BY id FOR UPDATE
            """,
            [list(line_ids)],
        )


def _allocations(line_ids: Collection[int]) -> list[tuple[int, int, int]]:
    """(order line, Stock row, packs) of what is promised to these lines; read once the supplies are locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT order_line_id, stock_id, quantity_allocated FROM warehouse_allocation
            WHERE order_line_id = ANY(%s) AND quantity_allocated > 0
            ORDER BY stock_id, order_line_id
            FOR UPDATE
            """,
            [list(line_ids)],
        )
        return [(line, stock, packs) for line, stock, packs in cursor.fetchall()]


# ---- Deciding -------------------------------------------------------------------------------------------------------


def _share_out(*, wanted: Sequence[_Wanted], books: _Books) -> list[_Promise]:
    """Fill every line from its supplies, in memory; books.left is used up on the way. Raises InsufficientStock."""
    rows_of: dict[int, list[StockRow]] = defaultdict(list)
    for row in books.rows:
        rows_of[row.variant_id].append(row)
    for rows in rows_of.values():
        rows.sort(key=lambda row: _sells_first(books.supplies[row.supply_id]))

    def hardest_first(each: _Wanted) -> tuple[int, int, int]:
        # Who has one supply only is served before who has a choice, and big packs before what fits anywhere.
        rows = rows_of[each.variant_id]
        return len(rows), -max((row.units for row in rows), default=0), each.variant_id

    promises: list[_Promise] = []
    left: dict[int, int] = {}
    for each in sorted(wanted, key=hardest_first):
        missing = each.packs
        for row in rows_of[each.variant_id]:
            packs = min(missing, books.left[row.supply_id] // row.units)
            if packs:
                promises.append(_Promise(order_line=each.line, row=row, packs=packs))
                books.left[row.supply_id] -= packs * row.units
                missing -= packs
        if missing:
            left[each.line.pk] = each.packs - missing
    short = [(each.line, left[each.line.pk]) for each in wanted if each.line.pk in left]
    if short:
        first = short[0][0]
        raise InsufficientStock(first.variant, {"order_line": first, "short": short})
    return promises


def _sells_first(supply: Supply) -> tuple[date, datetime, int]:
    """What must be sold soonest stands first, then what was counted longest ago."""
    best_before = supply.lot.best_before if supply.lot is not None else date.max
    return best_before, supply.counted_at or _NEVER, supply.pk


# ---- Writing --------------------------------------------------------------------------------------------------------


def _promise(*, promises: Sequence[_Promise], books: _Books, now: datetime) -> None:
    _write_allocations(promises)
    entries = [
        Entry(
            supply_id=promise.row.supply_id,
            kind=Kind.ALLOCATE,
            happened_at=ledger.happens_at(now=now, supply=books.supplies[promise.row.supply_id]),
            allocated_delta=promise.packs * promise.row.units,
            order_line_id=promise.order_line.pk,
        )
        for promise in promises
    ]
    _record(entries=entries, books=books, now=now)


def _release(
    *,
    allocated: Sequence[tuple[int, int, int]],
    most: int | None,
    books: _Books,
    now: datetime,
) -> None:
    entries = _released(allocated=allocated, most=most, books=books, now=now)
    _record(entries=entries, books=books, now=now)


def _released(
    *,
    allocated: Sequence[tuple[int, int, int]],
    most: int | None,
    books: _Books,
    now: datetime,
) -> list[Entry]:
    """Take back up to `most` packs (None: all) and answer the entries that say so, yet to be appended."""
    ours = {row.pk: row for row in books.rows}
    entries, taken = [], []
    left = most
    for line_id, stock_id, promised in allocated:
        packs = promised if left is None else min(left, promised)
        if not packs:
            continue
        left = None if left is None else left - packs
        taken.append((line_id, stock_id, packs))
        row = ours.get(stock_id)
        # A Stock row that no supply fills is Saleor's own: there is no ledger to write to.
        if row is not None:
            entries.append(
                Entry(
                    supply_id=row.supply_id,
                    kind=Kind.RELEASE,
                    happened_at=ledger.happens_at(now=now, supply=books.supplies[row.supply_id]),
                    allocated_delta=-packs * row.units,
                    order_line_id=line_id,
                )
            )
    _take_allocations(taken)
    return entries


def _record(*, entries: Sequence[Entry], books: _Books, now: datetime) -> None:
    """Append, then project every pack of the supplies that moved."""
    if not entries:
        return
    moved = sorted({entry.supply_id for entry in entries})
    balances = books.balances()
    ledger.append(entries=entries, balances=balances, now=now)
    ledger.project(supply_ids=moved)
    if any(balances[pk].allocated > balances[pk].on_hand for pk in moved):
        ledger.settle_shortfalls(supply_ids=moved, now=now)
    bump_stock_version_on_commit()


def _write_allocations(promises: Sequence[_Promise]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO warehouse_allocation (order_line_id, stock_id, quantity_allocated)
            SELECT * FROM unnest(%s::int[], %s::int[], %s::int[])
            ON CONFLICT (order_line_id, stock_id)
            DO UPDATE SET quantity_allocated = warehouse_allocation.quantity_allocated + EXCLUDED.quantity_allocated
            """,
            [
                [promise.order_line.pk for promise in promises],
                [promise.row.pk for promise in promises],
                [promise.packs for promise in promises],
            ],
        )


def _take_allocations(taken: Sequence[tuple[int, int, int]]) -> None:
    """(order line, Stock row, packs): that much less is promised."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE warehouse_allocation allocation
            SET quantity_allocated = allocation.quantity_allocated - taken.packs
            FROM unnest(%s::int[], %s::int[], %s::int[]) AS taken(line, stock, packs)
            WHERE allocation.order_line_id = taken.line AND allocation.stock_id = taken.stock
            """,
            [[each[part] for each in taken] for part in range(3)],
        )
