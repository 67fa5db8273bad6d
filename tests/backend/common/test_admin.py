"""The admin: every page opens, and Saleor's permissions decide who sees it."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from saleor.account.models import User
from saleor.menu.models import MenuItem
from saleor.order.models import Order
from saleor.page.models import Page
from saleor.product.models import Product, ProductVariant
from saleor.shipping.models import ShippingMethod
from saleor.warehouse.models import Allocation, Stock

from backend.cooperatives.models import Cooperative
from backend.stock.models import Supply
from tests.fixtures.demo import demo_database  # noqa: F401, a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo_database")]

OURS = {"backend", "saleor"}
BY_PASSWORD = "backend.saleor_port.sign_in.PasswordBackend"


def registered() -> list[type[Model]]:
    """The models that this project shows in the admin."""
    return [model for model in admin.site._registry if model.__module__.partition(".")[0] in OURS]


def url_of(model: type[Model], page: str, *arguments: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(User.objects.get(email="admin@xinyi.example"), backend=BY_PASSWORD)
    return client


@pytest.fixture
def staff_with(client: Client) -> Callable[..., Client]:
    """A member of staff with these of Saleor's permissions, signed in."""

    def sign_in(*permissions: str) -> Client:
        user = User.objects.create_user("staff@xinyi.example", "does not matter", is_staff=True)
        for name in permissions:
            app_label, codename = name.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app_label, codename=codename)
            )
        client.force_login(user, backend=BY_PASSWORD)
        return client

    return sign_in


def test_what_a_shop_needs_is_there() -> None:
    assert {model._meta.label for model in registered()} >= {
        "account.User",
        "brand.Campaign",
        "catalogue.Dish",
        "catalogue.Good",
        "cooperatives.Cooperative",
        "cooperatives.Village",
        "menu.Menu",
        "order.Order",
        "page.Page",
        "product.Category",
        "product.Collection",
        "product.Product",
        "product.ProductVariant",
        "provenance.HarvestLot",
        "shipping.ShippingMethod",
        "warehouse.Stock",
        "warehouse.Warehouse",
    }


@pytest.mark.parametrize("model", registered(), ids=lambda model: model._meta.label)
def test_every_list_and_every_form_opens(model: type[Model], administrator: Client) -> None:
    assert administrator.get(url_of(model, "changelist")).status_code == 200
    assert administrator.get(url_of(model, "changelist"), {"q": "a"}).status_code == 200
    record = model._default_manager.first()
    if record is not None:
        assert administrator.get(url_of(model, "change", record.pk)).status_code == 200
    add = administrator.get(url_of(model, "add"))
    assert add.status_code == (
        200 if admin.site._registry[model].has_add_permission(add.wsgi_request) else 403
    )


@pytest.mark.parametrize(
    "model, permission",
    [
        (Product, "product.manage_products"),
        (ProductVariant, "product.manage_products"),
        (Stock, "product.manage_products"),
        (Cooperative, "product.manage_products"),
        (Order, "order.manage_orders"),
        (ShippingMethod, "shipping.manage_shipping"),
        (Page, "page.manage_pages"),
        (MenuItem, "menu.manage_menus"),
        (User, "account.manage_users"),
    ],
    ids=lambda value: value if isinstance(value, str) else value._meta.label,
)
def test_staff_see_what_their_permission_is_for_and_nothing_else(
    model: type[Model], permission: str, staff_with: Callable[..., Client]
) -> None:
    client = staff_with(permission)
    for other in registered():
        may = admin.site._registry[other].has_view_permission(
            client.get(url_of(model, "changelist")).wsgi_request
        )
        assert client.get(url_of(other, "changelist")).status_code == (200 if may else 403), other
        assert not may or getattr(admin.site._registry[other], "permission", "") == permission, other
    assert client.get(url_of(model, "changelist")).status_code == 200


def test_djangos_own_permissions_open_nothing(staff_with: Callable[..., Client]) -> None:
    client = staff_with("product.view_product", "product.change_product")
    assert client.get(url_of(Product, "changelist")).status_code == 403


def test_customers_and_bookkeepers_are_sent_to_the_sign_in(client: Client) -> None:
    client.force_login(User.objects.get(email="wang@baima.example"), backend=BY_PASSWORD)
    assert client.get("/admin/").status_code == 302


def test_stock_is_looked_at_and_not_typed(staff_with: Callable[..., Client]) -> None:
    stock = Stock.objects.filter(quantity__gt=0)[0]
    client = staff_with("product.manage_products")
    answer = client.post(
        url_of(Stock, "change", stock.pk),
        {"warehouse": stock.warehouse_id, "product_variant": stock.product_variant_id, "quantity": 9999},
    )
    assert answer.status_code == 403
    assert Stock.objects.get(pk=stock.pk).quantity == stock.quantity


def test_a_price_and_a_weight_can_be_changed(staff_with: Callable[..., Client]) -> None:
    variant = ProductVariant.objects.get(sku="XY-0007-1")
    client = staff_with("product.manage_products")
    page = client.get(url_of(ProductVariant, "change", variant.pk))
    assert page.context["adminform"].form.initial["net_weight_g"] == 1000
    answer = client.post(
        url_of(ProductVariant, "change", variant.pk),
        {
            "product": variant.product_id,
            "sku": variant.sku,
            "name": "1.2 kg",
            "price_override_amount": "8.40",
            "net_weight_g": "1200",
            "track_inventory": "on",
            "translations-TOTAL_FORMS": "0",
            "translations-INITIAL_FORMS": "0",
        },
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    variant.refresh_from_db()
    assert (variant.name, variant.price_override_amount, variant.weight.g) == (
        "1.2 kg",
        Decimal("8.40"),
        1200,
    )


def test_a_text_is_changed_for_those_who_read_it_as_draft_js_too(staff_with: Callable[..., Client]) -> None:
    page = Page.objects.get(slug="about")
    client = staff_with("page.manage_pages")
    answer = client.post(
        url_of(Page, "change", page.pk),
        {
            "title": page.title,
            "slug": page.slug,
            "is_published": "on",
            "content": "第一段\n还是第一段\n\n第二段",
            "translations-TOTAL_FORMS": "0",
            "translations-INITIAL_FORMS": "0",
        },
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    page.refresh_from_db()
    assert [block["text"] for block in page.content_json["blocks"]] == ["第一段\n还是第一段", "第二段"]


@pytest.mark.parametrize(
    "link, accepted",
    [
        ("/villages/fuxing/", True),
        ("https://example.com/", True),
        ("javascript:alert(1)", False),
        ("//evil", False),
    ],
)
def test_a_menu_leads_to_pages_and_not_to_scripts(
    link: str, accepted: bool, staff_with: Callable[..., Client]
) -> None:
    item = MenuItem.objects.get(url="/brand/")
    client = staff_with("menu.manage_menus")
    client.post(
        url_of(MenuItem, "change", item.pk),
        {
            "menu": item.menu_id,
            "name": item.name,
            "link": link,
            "translations-TOTAL_FORMS": "0",
            "translations-INITIAL_FORMS": "0",
        },
    )
    assert MenuItem.objects.get(pk=item.pk).url == (link if accepted else "/brand/")


def test_cancelling_an_order_releases_what_was_promised_but_not_one_that_was_handed_over(
    staff_with: Callable[..., Client],
) -> None:
    client = staff_with("order.manage_orders")
    waiting, handed_over = (
        Order.objects.filter(status="unfulfilled")[0],
        Order.objects.filter(status="fulfilled")[0],
    )
    supplies = Supply.objects.filter(packs__variant__order_lines__order=waiting).distinct()
    promised = sum(supply.allocated for supply in supplies)
    assert Allocation.objects.filter(order_line__order=waiting, quantity_allocated__gt=0).exists()
    client.post(
        url_of(Order, "changelist"),
        {"action": "cancel", "_selected_action": [str(waiting.pk), str(handed_over.pk)]},
    )
    assert Order.objects.get(pk=waiting.pk).status == "canceled"
    assert Order.objects.get(pk=handed_over.pk).status == "fulfilled"
    assert not Allocation.objects.filter(order_line__order=waiting, quantity_allocated__gt=0).exists()
    assert sum(supply.allocated for supply in supplies.all()) < promised


# ---- Nobody makes himself more than he is ----------------------------------------------------------------------------


def test_who_manages_customers_does_not_see_staff(staff_with: Callable[..., Client]) -> None:
    client = staff_with("account.manage_users")
    zhao = User.objects.get(email="zhao@town.example")
    assert "zhao@town.example" not in client.get(url_of(User, "changelist")).content.decode()
    assert client.get(url_of(User, "change", zhao.pk)).status_code == 302
    assert client.get(reverse("admin:auth_user_password_change", args=(zhao.pk,))).status_code == 404


def test_who_manages_customers_cannot_make_one_staff(staff_with: Callable[..., Client]) -> None:
    client = staff_with("account.manage_users")
    li = User.objects.get(email="li@buyer.example")
    answer = client.post(
        url_of(User, "change", li.pk),
        {
            "email": li.email,
            "last_name": "李",
            "first_name": "婶",
            "is_active": "on",
            "is_staff": "on",
            "is_superuser": "on",
        },
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    li.refresh_from_db()
    assert (li.is_staff, li.is_superuser) == (False, False)


def test_who_manages_staff_cannot_take_the_account_of_one_who_may_do_more(
    staff_with: Callable[..., Client],
) -> None:
    client = staff_with("account.manage_staff")
    for email in ("zhao@town.example", "admin@xinyi.example"):
        person = User.objects.get(email=email)
        assert client.get(url_of(User, "change", person.pk)).status_code == 403
        new = {"password1": "a-new-password-1", "password2": "a-new-password-1", "usable_password": "true"}
        answer = client.post(reverse("admin:auth_user_password_change", args=(person.pk,)), new)
        assert answer.status_code == 403
        assert not User.objects.get(pk=person.pk).check_password("a-new-password-1")
