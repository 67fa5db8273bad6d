"""Sheds of a size that no cooperative here has, made by SQL in seconds: for the benches of the stock room."""

from __future__ import annotations

import io
import json
from datetime import timedelta

from django.db import connection, models
from django.utils import timezone
from openpyxl import Workbook
from saleor.product.models import Product, ProductVariant

from backend.cooperatives.models import Cooperative
from backend.stock.models import Pack, Supply
from tests.produce import a_cooperative, a_product


def a_great_shed(*, goods: int, slug: str = "baima", first: int = 0) -> Cooperative:
    """A cooperative with that many goods of one pack each, XY-000000 and on, that nobody has counted."""
    cooperative = a_cooperative(slug=slug)
    product = Product.objects.first() or a_product()
    variant = product.variants.first()
    assert variant is not None
    with connection.cursor() as cursor:
        _multiply(cursor, product, goods, first, {"slug": "'good-' || n", "name": "'菜' || n"})
        _multiply(
            cursor,
            variant,
            goods,
            first,
            {
                "sku": "'sku-' || n",
                "product_id": "(SELECT id FROM product_product WHERE slug = 'good-' || n)",
            },
        )
        model = Supply(cooperative=cooperative, code="", name="", product=product)
        _multiply(
            cursor,
            model,
            goods,
            first,
            {
                "code": "'XY-' || lpad(n::text, 6, '0')",
                "name": "'菜' || n",
                "product_id": "(SELECT id FROM product_product WHERE slug = 'good-' || n)",
            },
        )
        cursor.execute(
            """
            INSERT INTO stock_pack (supply_id, variant_id, units)
            SELECT supply.id, variant.id, 1000 FROM stock_supply supply
            JOIN product_productvariant variant ON variant.product_id = supply.product_id
            WHERE supply.cooperative_id = %s
            """,
            [cooperative.pk],
        )
    assert Pack.objects.filter(supply__cooperative=cooperative).count() == goods
    return cooperative


def _multiply(cursor: object, model: models.Model, times: int, first: int, said: dict[str, str]) -> None:
    """Insert rows like this one, n running from first, with these columns computed from n."""
    names, values, given = [], [], []
    for field in model._meta.concrete_fields:
        if field.primary_key:
            continue
        names.append(f'"{field.column}"')
        if field.column in said:
            values.append(said[field.column])
        else:
            values.append("%s")
            given.append(field.get_db_prep_save(getattr(model, field.attname), connection))
    cursor.execute(  # type: ignore[attr-defined]  # Django's cursor
        f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) "
        f"SELECT {', '.join(values)} FROM generate_series({first}, {first + times - 1}) n",
        given,
    )


def stock_elsewhere(*, rows_a_warehouse: int, warehouses: int) -> None:
    """Stock rows of other sheds, for the same variants: a table that has grown."""
    for number in range(warehouses):
        other = a_cooperative(slug=f"other-{number}")
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO warehouse_stock (warehouse_id, product_variant_id, quantity)
                SELECT %s, id, 0 FROM product_productvariant WHERE sku LIKE 'sku-%%' ORDER BY id LIMIT %s
                """,
                [other.warehouse_id, rows_a_warehouse],
            )


def variants(*, goods: int) -> models.QuerySet[ProductVariant]:
    return ProductVariant.objects.filter(sku__startswith="sku-").order_by("pk")[:goods]


def a_document(*, goods: int, round_number: int, remark: str = "") -> bytes:
    """What the shed's system says: every good, with a figure of its own."""
    counted_at = timezone.now() - timedelta(hours=1) + timedelta(seconds=round_number)
    more = {"remark": remark} if remark else {}
    items = [
        {"code": f"XY-{number:06}", "quantity": 100.5 + (number + round_number) % 50, "unit": "斤", **more}
        for number in range(goods)
    ]
    return json.dumps({"counted_at": counted_at.isoformat(), "items": items}, ensure_ascii=False).encode()


def a_csv(*, goods: int, round_number: int = 0) -> bytes:
    """The same as a bookkeeper's list, some ten megabytes of it with what is remarked."""
    rows = (
        f"XY-{number:06},菜{number},{100.5 + (number + round_number) % 50},斤,信义镇白马产业园{number % 9}号棚本地种植\r\n"
        for number in range(goods)
    )
    return ("编码,品名,库存,单位,备注\r\n" + "".join(rows)).encode()


def a_workbook(*, goods: int) -> bytes:
    """The same in a workbook, as large as the readers take one once it is unpacked."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("库存")
    sheet.append(["编码", "品名", "库存", "单位"])
    for number in range(goods):
        sheet.append([f"XY-{number:06}", f"菜{number}", 100.5 + number % 50, "斤"])
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()
