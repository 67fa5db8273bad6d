"""What was packed from which lot: the lot that spoils first goes first, and a recalled one is not packed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from saleor.account.models import User
from saleor.order.actions import cancel_fulfillment
from saleor.order.models import Order, OrderLine

from backend.ordering.models import PackedLot
from backend.ordering.packing import Heap, record_packed_lots, share_out
from backend.ordering.selectors import lots_of_lines
from backend.ordering.services import place_order
from backend.provenance.models import HarvestLot
from backend.provenance.services import recall_lots
from tests import produce
from tests.backend.ordering.test_place_order import a_request

NOW = timezone.now()


def an_order(shed: produce.Shed, *, packs: int = 2, now: datetime = NOW) -> Order:
    return place_order(
        request=a_request(shed, basket=produce.a_basket({shed.variant: packs})), user=None, now=now
    )


def packed(order: Order) -> dict[str, int]:
    line = OrderLine.objects.get(order=order)
    return {each.lot.code: each.packs for each in lots_of_lines([line.pk])[line.pk]}


def test_a_heap_gives_whole_packs_and_the_next_the_rest() -> None:
    heaps = [Heap(lot_pk=1, base_units=1_700), Heap(lot_pk=2, base_units=None)]
    assert share_out(packs=5, units=500, heaps=heaps) == {1: 3, 2: 2}
    assert heaps[0].base_units == 200


def test_what_no_weight_accounts_for_is_put_down_to_the_lot_that_keeps_longest() -> None:
    assert share_out(packs=5, units=500, heaps=[Heap(1, 500), Heap(2, 600)]) == {1: 1, 2: 4}
    assert share_out(packs=5, units=500, heaps=[Heap(1, -300), Heap(2, 0)]) == {2: 5}
    assert share_out(packs=5, units=500, heaps=[]) == {}


@pytest.mark.django_db
def test_what_spoils_first_is_packed_first() -> None:
    shed = produce.a_shed()
    produce.a_lot(shed, code="later", keeps_days=5)
    produce.a_lot(shed, code="sooner", keeps_days=2, quantity_g=3_000)
    first, second = an_order(shed), an_order(shed)
    produce.hand_over(first)
    produce.hand_over(second)
    assert packed(first) == {"sooner": 2}
    assert packed(second) == {"sooner": 1, "later": 1}


@pytest.mark.django_db
def test_no_lot_that_is_recalled_spoilt_to_come_or_of_another_shed_is_named() -> None:
    shed = produce.a_shed()
    today = timezone.localdate()
    produce.a_lot(shed, code="recalled", recalled_at=NOW, recall_reason="农残超标")
    produce.a_lot(
        shed, code="spoilt", harvested_on=today - timedelta(days=3), best_before=today - timedelta(days=1)
    )
    produce.a_lot(shed, code="to come", harvested_on=today + timedelta(days=1))
    other = produce.a_cooperative(slug="fuxing", name="福星村蔬菜专业合作社")
    HarvestLot.objects.create(
        cooperative=other, product=shed.product, code="elsewhere", harvested_on=today, best_before=today
    )
    order = an_order(shed)
    produce.hand_over(order)
    assert packed(order) == {}
    assert not PackedLot.objects.exists()


@pytest.mark.django_db
def test_an_order_shows_a_recall_of_what_was_packed_before_it() -> None:
    shed = produce.a_shed()
    lot = produce.a_lot(shed, recall_reason="农残超标，请不要吃")
    order = an_order(shed)
    produce.hand_over(order)
    recall_lots(lots=HarvestLot.objects.filter(pk=lot.pk), now=NOW)
    line = OrderLine.objects.get(order=order)
    (row,) = lots_of_lines([line.pk])[line.pk]
    assert (row.lot.code, row.packs, row.lot.recalled_at) == ("BM-1", 2, NOW)


@pytest.mark.django_db
def test_what_came_back_is_in_the_lot_again() -> None:
    shed = produce.a_shed()
    produce.a_lot(shed, code="first", quantity_g=2_000)
    produce.a_lot(shed, code="second", keeps_days=9)
    returned = an_order(shed)
    (fulfillment,) = produce.hand_over(returned)
    cancel_fulfillment(fulfillment, User.objects.create_user("zhao@town.example"), shed.cooperative.warehouse)
    assert packed(returned) == {}
    order = an_order(shed)
    produce.hand_over(order)
    assert packed(order) == {"first": 2}


@pytest.mark.django_db
def test_what_is_counted_by_the_piece_is_not_measured_by_a_lots_weight() -> None:
    shed = produce.a_shed()
    shed.supply.unit = "piece"
    shed.supply.save(update_fields=["unit"])
    produce.a_lot(shed, code="light", quantity_g=1)
    produce.a_lot(shed, code="later", keeps_days=9)
    order = an_order(shed)
    produce.hand_over(order)
    assert packed(order) == {"light": 2}


@pytest.mark.django_db
def test_a_fulfilment_is_written_down_once() -> None:
    shed = produce.a_shed()
    produce.a_lot(shed)
    order = an_order(shed)
    (fulfillment,) = produce.hand_over(order)
    assert record_packed_lots(fulfillment_pk=fulfillment.pk, now=NOW) == 0
    assert packed(order) == {"BM-1": 2}
