"""The stock room in the admin: what may be changed there, and what may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backend.stock.admin import ReportLines, SupplyAdmin
from backend.stock.audit import find_drift
from backend.stock.models import ColumnMapping, Feed, Movement, Pack, Report, Shortfall, Supply
from tests.backend.stock.shed import MORNING, an_uncounted_supply, available, count, variant_of
from tests.produce import a_cooperative, a_person, a_product

pytestmark = pytest.mark.django_db

BY_PASSWORD = "backend.saleor_port.sign_in.PasswordBackend"
MODELS = (Supply, Feed, Report, Movement, Shortfall, ColumnMapping)


@pytest.fixture
def supply() -> Supply:
    """10 kg, counted by 王会计."""
    supply = an_uncounted_supply(cooperative=a_cooperative(), code="XY-0007")
    count(supply.cooperative, {"XY-0007": "20"})
    Feed.objects.create(cooperative=supply.cooperative, kind=Feed.Kind.HTTP_JSON, url="http://127.0.0.1/")
    return supply


@pytest.fixture
def keeper(client: Client) -> Client:
    user = a_person(email="staff@xinyi.example", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="manage_products"))
    client.force_login(user, backend=BY_PASSWORD)
    return client


def address(model: type, page: str, *arguments: object) -> str:
    return reverse(f"admin:stock_{model.__name__.lower()}_{page}", args=arguments)


def form_of(supply: Supply, **changes: object) -> dict[str, object]:
    return {
        "cooperative": supply.cooperative_id,
        "code": supply.code,
        "name": supply.name,
        "product": supply.product_id,
        "unit": supply.unit,
        "container_name": "",
        "container_units": "",
        "lot": "",
        "is_active": "on",
        "on_hand": 999_999,
        "packs-TOTAL_FORMS": 0,
        "packs-INITIAL_FORMS": 0,
        **changes,
    }


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens_for_who_may_manage_products(keeper: Client, supply: Supply, model: type) -> None:
    assert keeper.get(address(model, "changelist")).status_code == 200
    for each in model._default_manager.all():  # type: ignore[attr-defined]  # one of the models above
        assert keeper.get(address(model, "change", each.pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_nobody_else_sees_them(client: Client, supply: Supply, model: type) -> None:
    client.force_login(a_person(email="zhao@town.example", is_staff=True), backend=BY_PASSWORD)
    assert client.get(address(model, "changelist")).status_code == 403


@pytest.mark.parametrize("model", [Movement, Report, Shortfall])
def test_what_was_said_and_what_followed_cannot_be_changed(
    keeper: Client, supply: Supply, model: type
) -> None:
    assert keeper.get(address(model, "add")).status_code == 403
    for each in model._default_manager.all():  # type: ignore[attr-defined]  # one of the models above
        assert keeper.post(address(model, "change", each.pk), {}).status_code == 403
        assert keeper.post(address(model, "delete", each.pk), {"post": "yes"}).status_code == 403


def test_what_headings_mean_can_be_forgotten_and_not_rewritten(keeper: Client, supply: Supply) -> None:
    told = ColumnMapping.objects.create(
        cooperative=supply.cooperative,
        headers_sha256="0" * 64,
        headers=["甲", "乙"],
        mapping={"甲": "code", "乙": "quantity"},
        told_at=timezone.now(),
    )
    assert keeper.get(address(ColumnMapping, "change", told.pk)).status_code == 200
    assert keeper.post(address(ColumnMapping, "change", told.pk), {"mapping": "{}"}).status_code == 403
    assert keeper.post(address(ColumnMapping, "delete", told.pk), {"post": "yes"}).status_code == 302
    assert not ColumnMapping.objects.exists()


def test_balances_come_from_the_ledger_alone(keeper: Client, supply: Supply) -> None:
    answer = keeper.post(address(Supply, "change", supply.pk), form_of(supply, name="青笋"))
    assert answer.status_code == 302
    supply.refresh_from_db()
    assert (supply.name, supply.on_hand) == ("青笋", 10_000)


def test_a_count_that_comes_while_a_form_is_being_saved_stays(
    keeper: Client, supply: Supply, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_form = SupplyAdmin.save_form

    def counted_meanwhile(*given: Any, **more: Any) -> object:
        count(supply.cooperative, {"XY-0007": "30"}, at=MORNING + timedelta(hours=1))
        return save_form(*given, **more)

    monkeypatch.setattr(SupplyAdmin, "save_form", counted_meanwhile)
    answer = keeper.post(address(Supply, "change", supply.pk), form_of(supply, name="青笋"))
    assert answer.status_code == 302
    supply.refresh_from_db()
    assert (supply.name, supply.on_hand) == ("青笋", 15_000)
    assert supply.counted_at == MORNING + timedelta(hours=1)
    assert find_drift() == []


def test_the_page_of_a_long_report_shows_its_first_rows_alone(
    keeper: Client, supply: Supply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReportLines, "most", 3)
    report = count(supply.cooperative, {f"QQ-{number}": "5" for number in range(1, 6)})
    page = keeper.get(address(Report, "change", report.pk)).content.decode()
    assert [f"QQ-{number}" in page for number in range(1, 6)] == [True] * 3 + [False] * 2


def test_a_supply_that_is_taken_off_sale_leaves_the_shelf_at_once(keeper: Client, supply: Supply) -> None:
    form = form_of(supply)
    del form["is_active"]
    assert keeper.post(address(Supply, "change", supply.pk), form).status_code == 302
    assert available(supply, variant_of(supply)) == 0
    assert find_drift() == []


def test_a_new_pack_is_filled_at_once_and_no_variant_from_two_heaps(keeper: Client, supply: Supply) -> None:
    variant = a_product(name="大袋", slug="dadai").variants.get()
    pack = {
        "packs-TOTAL_FORMS": 1,
        "packs-0-variant": variant.pk,
        "packs-0-units": 4000,
        "packs-0-supply": supply.pk,
    }
    answer = keeper.post(address(Supply, "change", supply.pk), form_of(supply, **pack))
    assert answer.status_code == 302
    assert available(supply, variant) == 2
    assert find_drift() == []

    other = an_uncounted_supply(cooperative=supply.cooperative, code="XY-0008")
    answer = keeper.post(
        address(Supply, "change", other.pk), form_of(other, **pack | {"packs-0-supply": other.pk})
    )
    assert answer.status_code == 200
    assert not Pack.objects.filter(supply=other, variant=variant).exists()
