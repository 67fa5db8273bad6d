"""What the stock room's tests share: sheds to count, documents to read, orders to fill."""

from __future__ import annotations

import io
import itertools
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from openpyxl import Workbook
from prices import Money, TaxedMoney
from saleor.order.models import Order, OrderLine
from saleor.product.models import ProductVariant
from saleor.warehouse.models import Allocation, Stock

from backend.cooperatives.models import Cooperative
from backend.stock.models import Pack, Report, Supply
from backend.stock.services import SubmittedLine, submit_report
from backend.stock.words import Basis
from tests.produce import a_product, an_address

SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 11, 23, 6, 10, tzinfo=SHANGHAI)
_numbers = itertools.count(1)


def an_uncounted_supply(
    *, cooperative: Cooperative, code: str = "XY-0001", packs: Mapping[int, str] | None = None, **changes: Any
) -> Supply:
    """A supply that nobody has counted yet, with a product of its own; packs: grams -> price."""
    number = next(_numbers)
    product = a_product(name=changes.pop("name", f"莴笋{number}"), slug=f"good-{number}", packs=packs)
    supply = Supply.objects.create(
        cooperative=cooperative, code=code, name=product.name, product=product, **changes
    )
    fill_from(supply)
    return supply


def fill_from(supply: Supply, variants: Sequence[ProductVariant] = ()) -> None:
    """Packs of these variants (the product's) are filled from the supply, by their weight."""
    for variant in variants or supply.product.variants.all():
        Pack.objects.create(supply=supply, variant=variant, units=round(variant.weight.g))


def variant_of(supply: Supply, grams: int = 1000) -> ProductVariant:
    return ProductVariant.objects.get(packs__supply=supply, packs__units=grams)


def count(
    cooperative: Cooperative,
    said: Mapping[str, object],
    *,
    at: datetime = MORNING,
    now: datetime | None = None,
    basis: Basis = Basis.SHELF,
    unit: str = "斤",
    source: Report.Source = Report.Source.DESK,
    **changes: Any,
) -> Report:
    """The cooperative counts: code -> quantity as written."""
    return submit_report(
        cooperative=cooperative,
        basis=basis,
        counted_at=at,
        idempotency_key=changes.pop("key", None) or str(uuid.uuid4()),
        lines=[SubmittedLine(code=code, quantity=value, unit=unit) for code, value in said.items()],
        source=source,
        submitted_by=None,
        now=now or max(at, at + timedelta(seconds=30)),
        **changes,
    )


def an_order(*lines: tuple[ProductVariant, int]) -> tuple[Order, list[OrderLine]]:
    """An order with these lines, to which nothing is promised yet."""
    price = TaxedMoney(net=Money(7, "CNY"), gross=Money(7, "CNY"))
    address = an_address()
    address.save()
    order = Order.objects.create(
        user_email="li@buyer.example",
        shipping_address=address,
        billing_address=address,
        currency="CNY",
        total=price,  # type: ignore[misc]  # a property of django-prices over two columns
        token=str(uuid.uuid4()),
    )
    made = [
        OrderLine.objects.create(
            order=order,
            variant=variant,
            product_name=str(variant.product),
            variant_name=str(variant),
            product_sku=variant.sku,
            is_shipping_required=True,
            quantity=quantity,
            currency="CNY",
            unit_price=price,  # type: ignore[misc]  # a property of django-prices over two columns
        )
        for variant, quantity in lines
    ]
    return order, made


def stock_of(supply: Supply, variant: ProductVariant) -> Stock:
    return Stock.objects.get(warehouse=supply.cooperative.warehouse_id, product_variant=variant)


def available(supply: Supply, variant: ProductVariant) -> int:
    """Packs that Saleor would sell from this shed."""
    stock = stock_of(supply, variant)
    return stock.quantity - sum(
        Allocation.objects.filter(stock=stock).values_list("quantity_allocated", flat=True)
    )


def as_json(items: Sequence[Mapping[str, object]], **header: object) -> bytes:
    said = {
        "counted_at": MORNING.isoformat(),
        "basis": "shelf",
        "sequence": 1,
        "items": list(items),
        **header,
    }
    return json.dumps(said, ensure_ascii=False).encode()


def as_workbook(
    rows: Sequence[Sequence[object]],
    *,
    counted_at: object = datetime(2026, 11, 23, 6, 10),
    header: Sequence[object] = ("编码", "品名", "库存", "单位", "备注"),
) -> Workbook:
    """The day's stock as a bookkeeper keeps it; the table's first row is row 5."""
    workbook = Workbook()
    sheet = workbook.active
    sheet["A1"] = "福星村蔬菜专业合作社 每日库存(示例数据)"
    sheet.merge_cells("A1:E1")
    sheet["A2"], sheet["B2"] = "盘点时间", counted_at
    for column, heading in enumerate(header, start=1):
        sheet.cell(row=4, column=column, value=heading)
    for number, row in enumerate(rows, start=5):
        for column, value in enumerate(row, start=1):
            sheet.cell(row=number, column=column, value=value)
    return workbook


def as_bytes(workbook: Workbook) -> bytes:
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def later(**delta: int) -> datetime:
    return timezone.now() + timedelta(**delta)
