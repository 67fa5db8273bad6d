"""李婶 waits for what is sold out, and gets one letter; so does everybody else who waits, as far as the stock goes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends import locmem
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from saleor.product.models import Product
from saleor.warehouse.models import Stock

from backend.catalogue.models import Wait, WaitLetter
from backend.catalogue.tasks import tell_who_waits
from backend.catalogue.waiting import services
from backend.catalogue.waiting.selectors import waits_of
from backend.catalogue.waiting.services import (
    KEPT,
    MOST_OF_AN_ADDRESS,
    WaitRefused,
    claim_letters,
    forget_old_waits,
    send_letters,
    stop_all,
    stop_wait,
    wait_for,
)
from tests import produce

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.get_default_timezone())
LI = "li@buyer.example"


@pytest.fixture
def shed(db: None) -> produce.Shed:
    """Sold out, in packs of 500 g and 1 kg."""
    return produce.a_shed(on_hand=0, packs={500: "4.00", 1000: "7.00"})


def wait(shed: produce.Shed, email: str = LI, *, grams: int = 500, **changes: Any) -> None:
    variant = shed.product.variants.get(sku=f"wosun-{grams}")
    wait_for(variant_pk=variant.pk, email=email, **{"user": None, "now": NOON, **changes})


def harvest(shed: produce.Shed, *, grams: int) -> None:
    """So much lies in the shed, as the ledger would project it."""
    for pack in shed.supply.packs.all():
        Stock.objects.filter(product_variant=pack.variant).update(quantity=grams // pack.units)


def told() -> list[str]:
    return [letter.to[0] for letter in mail.outbox]


# ---- On the list -----------------------------------------------------------------------------------------------------


def test_who_waits_gets_one_letter_in_both_languages_and_is_off_the_list(
    shed: produce.Shed, settings: Any
) -> None:
    wait(shed, "Li@Buyer.example")
    token = Wait.objects.get().token
    assert send_letters(now=NOON) == 0
    harvest(shed, grams=1_000)
    assert send_letters(now=NOON) == 1
    assert send_letters(now=NOON) == 0
    [letter] = mail.outbox
    assert letter.to == [LI]
    assert "莴笋又有货了" in letter.subject
    assert "can be bought again" in letter.subject
    assert f"{settings.PUBLIC_URL}/p/wosun/" in letter.body
    assert letter.body.count(f"{settings.PUBLIC_URL}/waiting/{token}/") == 2
    assert letter.extra_headers["List-Unsubscribe"] == f"<{settings.PUBLIC_URL}/waiting/{token}/>"
    assert not Wait.objects.exists()


def test_twice_is_once(shed: produce.Shed) -> None:
    wait(shed)
    wait(shed, "LI@buyer.example", now=NOON + timedelta(hours=1))
    assert Wait.objects.get().asked_at == NOON


def test_what_can_be_bought_and_what_is_not_sold_is_not_waited_for(shed: produce.Shed) -> None:
    harvest(shed, grams=500)
    with pytest.raises(WaitRefused) as refused:
        wait(shed)
    assert refused.value.code == "in_stock"
    wait(shed, grams=1000)
    Product.objects.update(is_published=False)
    with pytest.raises(WaitRefused) as refused:
        wait(shed, grams=1000)
    assert refused.value.code == "unknown_variant"


def test_a_guest_learns_nothing_of_an_address_that_waits_for_much_and_its_owner_learns_it(
    shed: produce.Shed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_OF_AN_ADDRESS", 1)
    li = produce.a_person(email=LI)
    wait(shed)
    wait(shed, grams=1000)
    assert Wait.objects.count() == 1
    with pytest.raises(WaitRefused) as refused:
        wait(shed, grams=1000, user=li)
    assert refused.value.code == "list_full"
    assert MOST_OF_AN_ADDRESS == 20


def test_all_entries_of_an_address_have_one_link_which_ends_them_and_no_others(shed: produce.Shed) -> None:
    for grams in (500, 1000):
        wait(shed, grams=grams)
    wait(shed, "wang@buyer.example")
    [token] = set(Wait.objects.filter(email=LI).values_list("token", flat=True))
    stop_all(token=token)
    assert Wait.objects.get().email == "wang@buyer.example"


def test_a_buyer_sees_and_ends_their_own_entries_only(shed: produce.Shed) -> None:
    li, wang = produce.a_person(email=LI), produce.a_person(email="wang@buyer.example")
    wait(shed, user=li)
    wait(shed, wang.email, user=wang)
    wait(shed, wang.email, grams=1000)
    [mine] = waits_of(user=li)
    assert (mine.name, mine.pack, mine.until) == ("莴笋", "500 g", NOON + KEPT)
    [his] = waits_of(user=wang)
    stop_wait(wait_pk=his.pk, user=li)
    assert len(waits_of(user=wang)) == 1
    stop_wait(wait_pk=mine.pk, user=li)
    assert waits_of(user=li) == []


def test_a_guests_entry_becomes_that_of_who_signs_in_with_the_address(shed: produce.Shed) -> None:
    wait(shed)
    li = produce.a_person(email=LI)
    assert waits_of(user=li) == []
    wait(shed, user=li)
    assert len(waits_of(user=li)) == 1


def test_nobody_waits_longer_than_thirty_days(shed: produce.Shed) -> None:
    wait(shed)
    wait(shed, "wang@buyer.example", now=NOON + timedelta(days=1))
    forget_old_waits(now=NOON + KEPT + timedelta(seconds=1))
    assert Wait.objects.get().email == "wang@buyer.example"


# ---- Letters ---------------------------------------------------------------------------------------------------------


def test_who_asked_first_is_told_first_and_no_more_than_there_are_packs(shed: produce.Shed) -> None:
    for number in range(5):
        wait(shed, f"buyer-{number}@x.example", now=NOON + timedelta(minutes=number))
    harvest(shed, grams=1_000)
    send_letters(now=NOON + timedelta(hours=1))
    send_letters(now=NOON + timedelta(hours=2))
    assert told() == ["buyer-0@x.example", "buyer-1@x.example"]


def test_packs_of_one_good_share_what_is_there(shed: produce.Shed) -> None:
    wait(shed, "large@x.example", grams=1000)
    wait(shed, "small@x.example", grams=500, now=NOON + timedelta(minutes=1))
    wait(shed, "late@x.example", grams=500, now=NOON + timedelta(minutes=2))
    harvest(shed, grams=1_500)
    send_letters(now=NOON + timedelta(hours=1))
    assert told() == ["large@x.example", "small@x.example"]


def test_the_next_are_told_a_day_later_or_when_more_comes(shed: produce.Shed) -> None:
    for number in range(3):
        wait(shed, f"buyer-{number}@x.example", now=NOON + timedelta(minutes=number))
    harvest(shed, grams=500)
    send_letters(now=NOON)
    harvest(shed, grams=1_000)
    send_letters(now=NOON + timedelta(hours=1))
    assert len(told()) == 2
    send_letters(now=NOON + timedelta(days=1, hours=2))
    assert told() == [f"buyer-{number}@x.example" for number in range(3)]
    forget_old_waits(now=NOON + timedelta(days=3))
    assert not WaitLetter.objects.exists()


def test_the_letter_goes_to_the_address_that_the_account_has_by_now(shed: produce.Shed) -> None:
    li = produce.a_person(email=LI)
    wait(shed, user=li)
    li.email = "new@buyer.example"
    li.save()
    harvest(shed, grams=500)
    send_letters(now=NOON)
    assert told() == ["new@buyer.example"]


def test_while_the_mail_server_is_away_nobody_is_taken_off_the_list(
    shed: produce.Shed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_self: object) -> None:
        raise ConnectionRefusedError

    wait(shed)
    harvest(shed, grams=500)
    monkeypatch.setattr(locmem.EmailBackend, "open", away)
    with pytest.raises(ConnectionRefusedError):
        send_letters(now=NOON)
    assert Wait.objects.count() == 1


def test_a_letter_that_fails_keeps_no_other_back_and_is_not_written_twice(
    shed: produce.Shed, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = locmem.EmailBackend.send_messages

    def lost_on_the_way(self: Any, messages: Any) -> Any:
        if messages[0].to == ["first@x.example"]:
            raise SMTPServerDisconnected
        return plain(self, messages)

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", lost_on_the_way)
    wait(shed, "first@x.example")
    wait(shed, "second@x.example", now=NOON + timedelta(minutes=1))
    harvest(shed, grams=1_000)
    assert send_letters(now=NOON) == 1
    assert send_letters(now=NOON) == 0
    assert told() == ["second@x.example"]


def test_a_long_list_takes_as_many_queries_as_a_short_one(shed: produce.Shed) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            claim_letters(now=NOON + timedelta(hours=1))
        return len(captured)

    harvest(shed, grams=500_000)
    Wait.objects.create(variant=shed.variant, email="a@x.example", asked_at=NOON)
    few = queries()
    Wait.objects.bulk_create(
        Wait(variant=shed.variant, email=f"{number}@x.example", asked_at=NOON) for number in range(15)
    )
    assert queries() == few <= 14


def test_the_task_forgets_the_old_and_writes_to_the_others(shed: produce.Shed) -> None:
    wait(shed, "old@x.example", now=timezone.now() - KEPT - timedelta(minutes=1))
    wait(shed, now=timezone.now())
    harvest(shed, grams=5_000)
    for _twice in range(2):
        tell_who_waits()
    assert told() == [LI]
    assert not Wait.objects.exists()


# ---- Two workers at once ---------------------------------------------------------------------------------------------


def all_at_once(job: Callable[[], object], *, threads: int) -> list[Any]:
    def closing() -> object:
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=threads) as pool:
        return [future.result(timeout=60) for future in [pool.submit(closing) for _ in range(threads)]]


def two_packs_for_four() -> None:
    shed = produce.a_shed(on_hand=0, packs={500: "4.00"})
    for number in range(4):
        wait(shed, f"buyer-{number}@x.example", now=NOON + timedelta(minutes=number))
    harvest(shed, grams=1_000)


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_two_workers_write_to_the_same_people(monkeypatch: pytest.MonkeyPatch) -> None:
    two_packs_for_four()
    both_have_read = threading.Barrier(2, timeout=30)
    plain = services._turns

    def read_together(*, now: datetime) -> list[Wait]:
        turns = plain(now=now)
        both_have_read.wait()
        return turns

    monkeypatch.setattr(services, "_turns", read_together)
    monkeypatch.setattr(services, "_lock", lambda *_: None)
    first, second = all_at_once(lambda: claim_letters(now=NOON), threads=2)
    assert [letter.email for letter in first] == [letter.email for letter in second]


@pytest.mark.django_db(transaction=True)
def test_two_workers_write_one_letter_to_each_and_no_more_than_there_are_packs() -> None:
    two_packs_for_four()
    both = all_at_once(lambda: claim_letters(now=NOON), threads=2)
    told_by_both = sorted(letter.email for letters in both for letter in letters)
    assert told_by_both == ["buyer-0@x.example", "buyer-1@x.example"]
    assert Wait.objects.count() == 2
