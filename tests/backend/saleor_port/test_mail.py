"""Every mail that Saleor sends has a template of ours, in Chinese and below it in English."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import saleor
from django.core import mail
from django.template.loader import get_template
from saleor.account import emails as account_emails
from saleor.account.models import StaffNotificationRecipient, User
from saleor.order import emails as order_emails
from saleor.order.models import Order

from tests.backend.saleor_port.small_shop import Shop

LINK = "https://xinyi.example/here"


@pytest.fixture
def buyer(db: None) -> User:
    return User.objects.create_user("lishen@example.com", "password")


def the_mail() -> Any:
    [message] = mail.outbox
    chinese, english = message.body.split("-" * 40)
    assert re.search("[一-鿿]", chinese)
    assert re.search("[A-Za-z]{4}", english)
    assert "\n" not in message.subject
    return message


def templates_named_in_saleor() -> set[str]:
    names = set()
    for module in ("account", "order"):
        source = (Path(saleor.__file__).parent / module / "emails.py").read_text(encoding="utf-8")
        names |= set(re.findall(r'"((?:account|order)/[a-z_/]+)"', source))
    return names | {"dashboard/customer/set_password", "dashboard/staff/set_password"}


def test_no_template_is_missing() -> None:
    names = templates_named_in_saleor()

    assert len(names) == 12
    for name in names:
        assert get_template(f"templated_email/{name}.email")


@pytest.mark.parametrize(
    "send, subject",
    [
        (
            lambda: account_emails._send_account_confirmation_email("a@example.com", "t", LINK),
            "请确认您的邮箱",
        ),
        (
            lambda: account_emails._send_set_user_password_email_with_url(
                "a@example.com", LINK, "t", "dashboard/customer/set_password"
            ),
            "请设置密码",
        ),
        (
            lambda: account_emails._send_set_user_password_email_with_url(
                "a@example.com", LINK, "t", "dashboard/staff/set_password"
            ),
            "请设置密码",
        ),
        (
            lambda: account_emails._send_account_delete_confirmation_email_with_url(
                "a@example.com", LINK, "t"
            ),
            "确认注销账号",
        ),
    ],
    ids=["confirm", "customer", "staff", "delete"],
)
def test_a_mail_with_a_link_has_the_link_in_both_languages(db: None, send: Any, subject: str) -> None:
    send()

    message = the_mail()
    assert subject in message.subject
    assert message.body.count(f"{LINK}?") == 2


def test_a_new_password_is_asked_for_by_a_link(buyer: User) -> None:
    account_emails._send_password_reset_email_with_url(buyer.email, LINK, buyer.pk, "t")

    message = the_mail()
    assert "重设密码" in message.subject
    assert message.body.count(f"{LINK}?email=lishen%40example.com&token=t") == 2


def test_a_new_mail_address_is_confirmed_by_a_link(buyer: User) -> None:
    events = {"old_email": buyer.email, "new_email": "new@example.com"}
    account_emails._send_request_email_change_email("new@example.com", LINK, buyer.pk, "t", events)

    message = the_mail()
    assert "请确认新邮箱" in message.subject
    assert message.body.count(f"{LINK}?token=t") == 2


def test_the_old_mail_address_is_told(db: None) -> None:
    account_emails._send_user_change_email_notification("lishen@example.com")

    assert "您的邮箱已更改" in the_mail().subject


@pytest.fixture
def order(shop: Shop) -> Order:
    order = shop.order(shop.good(9, price="12.50"), quantity=2)
    Order.objects.filter(pk=order.pk).update(total_gross_amount=31, shipping_price_gross_amount=6)
    return order


def test_an_order_is_confirmed_with_its_lines_and_sums(order: Order) -> None:
    order_emails.send_order_confirmation(order.pk, LINK)

    message = the_mail()
    assert message.subject == f"{the_site_name()}:订单 {order.pk} 已收到 / Order {order.pk} received"
    assert "二荆条 1 500 克 × 2  ¥25.00" in message.body
    assert "运费:¥6.00" in message.body
    assert "合计:¥31.00" in message.body
    assert message.body.count(f"{LINK}?token={order.token}") == 2
    assert "13800138000" not in message.body


def test_staff_hear_of_an_order(order: Order) -> None:
    StaffNotificationRecipient.objects.create(
        user=User.objects.create_superuser("zhaoganshi@example.com", "password"), active=True
    )

    order_emails.send_staff_order_confirmation(order.pk, LINK)

    assert f"新订单 {order.pk}" in the_mail().subject


def test_a_payment_is_confirmed(order: Order) -> None:
    order_emails.send_payment_confirmation(order.pk)

    assert "¥31.00 已经收到" in the_mail().body


def test_a_parcel_is_announced_with_its_number(order: Order) -> None:
    fulfillment = order.fulfillments.create(tracking_number="SF123")
    fulfillment.lines.create(order_line=order.lines.get(), quantity=1)

    order_emails.send_fulfillment_confirmation(order.pk, fulfillment.pk)

    message = the_mail()
    assert "已发出" in message.subject
    assert "二荆条 1 500 克 × 1" in message.body
    assert message.body.count("SF123") == 2

    mail.outbox.clear()
    order_emails.send_fulfillment_update(order.pk, fulfillment.pk)
    assert the_mail().body.count("SF123") == 2


def the_site_name() -> str:
    from django.contrib.sites.models import Site

    return Site.objects.get_current().name
