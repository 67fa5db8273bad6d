"""李婶 opens an account, fills it, takes its data along, and closes it. With JavaScript, and without."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.journeys.test_accessibility import barriers
from tests.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASSWORD = "a-long-secret-of-li"
PASTED = "李秀英 138 0013 8000 四川省绵阳市游仙区信义镇白马路 1 号"

_COPY = """
    INSERT INTO {table} SELECT (jsonb_populate_record(row, jsonb_build_object(
        'id', nextval(pg_get_serial_sequence('{table}', 'id'))) || %s::jsonb)).* FROM {table} row
    WHERE {where} ORDER BY row.id LIMIT 1 RETURNING id
"""


@pytest.fixture
def sold_out(shop: Shop) -> Iterator[str]:
    """The slug of a good that nobody has in the shed, and that no other test knows."""
    slug = f"sold-out-{uuid.uuid4().hex[:8]}"

    def copy(table: str, changes: dict[str, object], *, where: str) -> int:
        found = connection.execute(_COPY.format(table=table, where=where), [json.dumps(changes)]).fetchone()
        assert found
        return int(found[0])

    with psycopg.connect(shop.database_url, autocommit=True) as connection:
        like = "row.product_id = (SELECT id FROM product_product WHERE slug = 'wosun')"
        product = copy("product_product", {"slug": slug, "name": "等货的菜"}, where="row.slug = 'wosun'")
        copy("catalogue_good", {"product_id": product}, where=like)
        copy("product_productvariant", {"product_id": product, "sku": slug}, where=like)
        yield slug
        connection.execute(
            "DELETE FROM catalogue_wait WHERE variant_id IN "
            "(SELECT id FROM product_productvariant WHERE product_id = %s)",
            [product],
        )
        for table in ("catalogue_good", "product_productvariant"):
            connection.execute(f"DELETE FROM {table} WHERE product_id = %s", [product])
        connection.execute("DELETE FROM product_product WHERE id = %s", [product])


def look(page: Page, *, javascript: bool) -> None:
    """No barrier, and nothing beside the screen."""
    if javascript:
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_account_from_its_first_day_to_its_last(
    phone: Page, sold_out: str, javascript: bool, tmp_path: Path
) -> None:
    email = f"li-{uuid.uuid4().hex[:10]}@example.com"
    page = phone
    page.goto("/account/register/")
    page.get_by_label("邮箱").fill(email)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("checkbox").check()
    page.get_by_role("main").get_by_role("button").click()
    page.wait_for_url("**/account/")

    # An address, pasted, read, looked over and saved.
    page.get_by_role("link", name="收货地址").click()
    page.get_by_role("link", name="添加地址").click()
    page.locator("summary").click()
    page.get_by_label("粘贴").fill(PASTED)
    page.get_by_role("button", name="识别").click()
    page.get_by_text("已按识别的内容填好").wait_for()
    look(page, javascript=javascript)
    page.get_by_role("button", name="保存地址").click()
    page.get_by_text("地址已保存。").wait_for()
    look(page, javascript=javascript)

    # What is sold out: one tap.
    page.goto(f"/p/{sold_out}/")
    look(page, javascript=javascript)
    page.get_by_role("button", name="通知我").click()
    page.get_by_text("我们给您寄一封邮件").wait_for()
    page.goto("/account/")
    look(page, javascript=javascript)
    assert page.get_by_role("link", name="等货的菜").is_visible()
    assert "信义镇白马路" in page.get_by_role("main").inner_text()

    # All of it in a file.
    page.get_by_role("link", name="我的个人信息").click()
    look(page, javascript=javascript)
    page.get_by_label("再输入一次密码").fill(PASSWORD)
    with page.expect_download() as download:
        page.get_by_role("button", name="下载文件").click()
    kept = tmp_path / "mine.json"
    download.value.save_as(kept)
    mine = json.loads(kept.read_text(encoding="utf-8"))
    assert mine["账户"]["邮箱"] == email
    assert mine["到货通知"][0]["品名"] == "等货的菜"

    # Gone, here and wherever else she was.
    page.goto("/account/close/")
    look(page, javascript=javascript)
    page.get_by_label("再输入一次密码").fill("not hers")
    page.get_by_role("button", name="注销我的账户").click()
    page.get_by_text("密码不正确。").wait_for()
    page.get_by_label("再输入一次密码").fill(PASSWORD)
    page.get_by_role("button", name="注销我的账户").click()
    page.get_by_text("账户已注销。").wait_for()
    page.goto("/account/")
    page.get_by_label("邮箱").fill(email)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="登录").click()
    page.get_by_text("邮箱或密码不对").wait_for()
