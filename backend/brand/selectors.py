"""The figures of the town's wall board: counted from the database at the moment they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import (
    Count,
    DecimalField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    Sum,
    Window,
)
from django.db.models.functions import Cast, Coalesce, RowNumber, TruncDate
from django.utils import timezone
from django.utils.functional import cached_property
from prices import Money
from saleor.order import OrderStatus
from saleor.order.models import Order, OrderLine
from saleor.product.models import Product

from backend.cooperatives.models import Cooperative, Village
from backend.stock.models import Movement, Supply

DAYS = 7
VILLAGE_DAYS = 30
TOP_GOODS = 6
LATEST_COUNTS = 6
COUNTS_PER_COOPERATIVE = 2
GRAMS_PER_KG = 1000
FEN = Decimal("0.01")


@dataclass(frozen=True)
class BoardDay:
    day: date
    orders: int
    sales: Money
    kilograms: Decimal


@dataclass(frozen=True)
class BoardVillage:
    village: Village
    kilograms: Decimal
    sales: Money


@dataclass(frozen=True)
class BoardGood:
    name: str
    kilograms: Decimal


@dataclass(frozen=True)
class BoardCount:
    cooperative: Cooperative
    good: str
    counted_at: datetime


@dataclass(frozen=True)
class Board:
    """as_of: when these figures were counted. Cancelled and draft orders are left out everywhere.

    Each figure is counted when it is first read: a page that shows some of them does not pay for the others.
    """

    as_of: datetime

    @property
    def _today(self) -> date:
        return timezone.localdate(self.as_of)

    @cached_property
    def seven_days(self) -> tuple[BoardDay, ...]:
        return _seven_days(today=self._today)

    @cached_property
    def by_village(self) -> tuple[BoardVillage, ...]:
        return _by_village(now=self.as_of)

    @cached_property
    def top_goods(self) -> tuple[BoardGood, ...]:
        return _top_goods(today=self._today)

    @cached_property
    def latest_counts(self) -> tuple[BoardCount, ...]:
        return _latest_counts()

    @cached_property
    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = Supply.objects.filter(is_active=True).aggregate(
            goods=Count("product", distinct=True, filter=Q(on_hand__gt=F("allocated"))),
            counted=Count("cooperative", distinct=True, filter=Q(counted_at__date=self._today)),
        )
        return counts

    @property
    def goods_in_stock(self) -> int:
        return self._counts["goods"]

    @property
    def cooperatives_counted(self) -> int:
        return self._counts["counted"]

    @cached_property
    def _cooperatives(self) -> dict[str, int]:
        cooperatives: dict[str, int] = Cooperative.objects.filter(is_active=True).aggregate(
            total=Count("pk"), demo=Count("pk", filter=Q(is_demo=True))
        )
        return cooperatives

    @property
    def cooperatives_total(self) -> int:
        return self._cooperatives["total"]

    @property
    def is_demo(self) -> bool:
        return self._cooperatives["demo"] > 0

    @property
    def orders_today(self) -> int:
        return self.seven_days[-1].orders

    @property
    def kilograms_today(self) -> Decimal:
        return self.seven_days[-1].kilograms

    @property
    def sales_today(self) -> Money:
        return self.seven_days[-1].sales


def board(*, now: datetime) -> Board:
    """All that the wall board shows. "Today" is the day in the shop's time zone."""
    return Board(as_of=now)


def _sold_since(day: date) -> QuerySet[Order]:
    return Order.objects.exclude(status__in=(OrderStatus.CANCELED, OrderStatus.DRAFT)).filter(
        created__date__gte=day
    )


def _kilograms() -> Sum:
    # Saleor keeps a variant's weight as a number of grams.
    grams = F("quantity") * Coalesce(
        Cast("variant__weight", DecimalField(max_digits=14, decimal_places=3)),
        Decimal(0),
    )
    return Sum(
        ExpressionWrapper(
            grams / GRAMS_PER_KG,
            output_field=DecimalField(max_digits=14, decimal_places=3),
        )
    )


def _money(amount: Decimal | None) -> Money:
    return Money((amount or Decimal(0)).quantize(FEN), settings.DEFAULT_CURRENCY)


def _round(kilograms: Decimal | None) -> Decimal:
    return (kilograms or Decimal(0)).quantize(Decimal("0.1"))


def _seven_days(*, today: date) -> tuple[BoardDay, ...]:
    first = today - timedelta(days=DAYS - 1)
    orders = {
        row["day"]: row
        for row in _sold_since(first)
        .annotate(day=TruncDate("created"))
        .values("day")
        .annotate(orders=Count("pk"), sales=Sum("total_gross_amount"))
        .order_by("day")
    }
    kilograms = {
        row["day"]: row["kilograms"]
        for row in OrderLine.objects.filter(order__in=_sold_since(first).values("pk"))
        .annotate(day=TruncDate("order__created"))
        .values("day")
        .annotate(kilograms=_kilograms())
        .order_by("day")
    }
    days = (first + timedelta(days=offset) for offset in range(DAYS))
    return tuple(
        BoardDay(
            day=day,
            orders=orders[day]["orders"] if day in orders else 0,
            sales=_money(orders[day]["sales"] if day in orders else None),
            kilograms=_round(kilograms.get(day)),
        )
        for day in days
    )


def _top_goods(*, today: date) -> tuple[BoardGood, ...]:
    rows = list(
        OrderLine.objects.filter(order__in=_sold_since(today - timedelta(days=DAYS - 1)).values("pk"))
        .filter(variant__isnull=False)
        .values("variant__product")
        .annotate(kilograms=_kilograms())
        .filter(kilograms__gt=0)
        .order_by("-kilograms", "variant__product")[:TOP_GOODS]
    )
    names = _product_names({row["variant__product"] for row in rows})
    return tuple(
        BoardGood(name=names[row["variant__product"]], kilograms=_round(row["kilograms"])) for row in rows
    )


def _product_names(product_pks: set[int]) -> dict[int, str]:
    """The products' names in the language of the request."""
    products = Product.objects.prefetch_related("translations").in_bulk(list(product_pks))
    return {pk: str(product.translated) for pk, product in products.items()}


def _by_village(*, now: datetime) -> tuple[BoardVillage, ...]:
    """What was promised to buyers, less what was released again, by the village of the shed that it came from."""
    wide = DecimalField(max_digits=20, decimal_places=4)
    promised = (
        Movement.objects.filter(
            kind__in=(Movement.Kind.ALLOCATE, Movement.Kind.RELEASE),
            happened_at__gte=now - timedelta(days=VILLAGE_DAYS),
            order_line__isnull=False,
        )
        .annotate(
            village_id=F("supply__cooperative__village_id"),
            amount=ExpressionWrapper(
                Cast("allocated_delta", wide)
                / Cast(F("order_line__variant__packs__units"), wide)
                * F("order_line__unit_price_gross_amount"),
                output_field=wide,
            ),
        )
        .filter(order_line__variant__packs__supply=F("supply"))
    )
    rows = (
        promised.values("village_id")
        .annotate(
            grams=Sum("allocated_delta", filter=Q(supply__unit=Supply.Unit.GRAM)),
            sales=Sum("amount"),
        )
        .order_by("village_id")
    )
    figures = {row["village_id"]: row for row in rows}
    return tuple(
        BoardVillage(
            village=village,
            kilograms=_round(Decimal(figures[village.pk]["grams"] or 0) / GRAMS_PER_KG)
            if village.pk in figures
            else Decimal("0.0"),
            sales=_money(figures[village.pk]["sales"] if village.pk in figures else None),
        )
        for village in Village.objects.all()
    )


def _latest_counts() -> tuple[BoardCount, ...]:
    # A cooperative that counts everything at once must not push the others off the board.
    turn = Window(RowNumber(), partition_by=F("supply__cooperative"), order_by=F("pk").desc())
    movements = list(
        Movement.objects.filter(
            kind=Movement.Kind.COUNT,
            # What is out of season is counted, too, at nought: true, and no news.
            on_hand_after__gt=0,
            supply__cooperative__is_active=True,
            supply__is_active=True,
        )
        .annotate(turn=turn)
        .filter(turn__lte=COUNTS_PER_COOPERATIVE)
        .select_related("supply__cooperative__village")
        .order_by("-pk")[:LATEST_COUNTS]
    )
    names = _product_names({movement.supply.product_id for movement in movements})
    return tuple(
        BoardCount(
            cooperative=movement.supply.cooperative,
            good=names[movement.supply.product_id],
            counted_at=movement.happened_at,
        )
        for movement in movements
    )
