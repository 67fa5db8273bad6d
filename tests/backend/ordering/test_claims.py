"""坏果包赔: 李婶 says what arrived spoilt, with photos; the staff decide."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone, translation
from PIL import Image
from saleor.account.models import StaffNotificationRecipient, User
from saleor.discount.models import Voucher
from saleor.order.models import Fulfillment, Order

from backend.catalogue.models import Good
from backend.ordering import tasks
from backend.ordering.claim_photos import claim_photo, forget_photos
from backend.ordering.claims import (
    ClaimRequest,
    accept_claim,
    open_claim,
    refuse_claim,
    worth_of,
)
from backend.ordering.errors import ClaimRefused
from backend.ordering.letters import send_claim_decision, send_new_claim
from backend.ordering.models import MOST_PHOTO_BYTES, Claim, ClaimPhoto, Placement
from backend.ordering.selectors import claimable_lines
from backend.ordering.services import place_order
from tests import produce
from tests.backend.ordering.test_place_order import a_request

NOW = timezone.now()
Status, Settlement = Claim.Status, Claim.Settlement


def a_photo(*, size: tuple[int, int] = (64, 48), colour: str = "brown", **how: Any) -> SimpleUploadedFile:
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG", **how)
    return SimpleUploadedFile("IMG_0001.HEIC", buffer.getvalue(), "text/html")


def where_it_was_taken() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # on its side
    exif[0x010F] = "Huawei"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (31.0, 28.0, 12.0)
    return exif


def a_handed_over_order(
    *, user: User | None = None, packs: int = 3, paid: bool = True, shed: produce.Shed | None = None
) -> Order:
    shed = shed or produce.a_shed()
    basket = produce.a_basket({shed.variant: packs}, user=user)
    order = place_order(request=a_request(shed, basket=basket), user=user, now=NOW)
    produce.hand_over(order, paid=paid)
    return order


def a_claim_request(order: Order, **changes: Any) -> ClaimRequest:
    given: dict[str, Any] = {
        "order_token": UUID(order.token),
        "line_pk": order.lines.order_by("pk")[0].pk,
        "packs": 1,
        "problem": "spoilt",
        "words": "两根烂了心",
        "idempotency_key": f"key-{uuid4()}",
        "photos": [a_photo()],
    }
    return ClaimRequest(**{**given, **changes})


def open_one(order: Order, *, user: User | None = None, now: datetime = NOW, **changes: Any) -> Claim:
    return open_claim(request=a_claim_request(order, **changes), user=user, now=now)


def refused(act: Callable[[], Any]) -> tuple[str, str | None]:
    with pytest.raises(ClaimRefused) as raised:
        act()
    return raised.value.code, raised.value.field


@pytest.fixture
def staff(db: None) -> User:
    return produce.a_person(email="zhao@town.example", is_staff=True)


# ---- Opening --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_claim_keeps_what_was_said_and_photos_that_do_not_say_where_she_lives() -> None:
    order = a_handed_over_order()
    claim = open_one(
        order, packs=2, photos=[a_photo(size=(4000, 3000), exif=where_it_was_taken()), a_photo()]
    )
    claim.refresh_from_db()
    assert (claim.packs, claim.problem, claim.words, claim.status) == (2, "spoilt", "两根烂了心", "open")
    assert (claim.amount, claim.settlement) == (None, "")
    first, second = claim.photos.all()
    # Upright, small, and nothing beside the pixels.
    assert (first.width, first.height) == (1200, 1600)
    with Image.open(BytesIO(bytes(first.jpeg))) as kept:
        assert (kept.format, kept.size) == ("JPEG", (1200, 1600))
        assert dict(kept.getexif()) == {}
    assert b"Huawei" not in bytes(first.jpeg)
    assert (second.position, second.width) == (1, 64)


@pytest.mark.django_db
def test_a_photo_of_noise_is_made_small_enough_to_keep() -> None:
    import random

    noise = Image.frombytes("RGB", (1600, 1600), random.Random(1).randbytes(1600 * 1600 * 3))
    buffer = BytesIO()
    noise.save(buffer, "JPEG", quality=95)
    claim = open_one(a_handed_over_order(), photos=[SimpleUploadedFile("a.jpg", buffer.getvalue())])
    assert len(claim.photos.get().jpeg) <= MOST_PHOTO_BYTES


@pytest.mark.django_db
def test_what_is_not_a_picture_is_refused_and_nothing_is_kept() -> None:
    order = a_handed_over_order()
    page = SimpleUploadedFile("a.jpg", b"<html><script>alert(1)</script>", "image/jpeg")
    assert refused(lambda: open_one(order, photos=[a_photo(), page])) == ("photo_unreadable", "photos")
    assert not Claim.objects.exists()
    assert not ClaimPhoto.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"photos": []}, "photos_missing", "photos"),
        ({"photos": [a_photo() for _ in range(5)]}, "too_many_photos", "photos"),
        ({"words": "  "}, "words_missing", "words"),
        ({"words": "长" * 501}, "words_too_long", "words"),
        ({"words": "a\0b"}, "words_too_long", "words"),
        ({"problem": "boring"}, "problem_missing", "problem"),
        ({"packs": 0}, "packs_invalid", "packs"),
        ({"packs": 4}, "packs_invalid", "packs"),
        ({"line_pk": 0}, "line_unknown", "line"),
        ({"line_pk": 10**30}, "line_unknown", "line"),
        ({"idempotency_key": "short"}, "idempotency_key_invalid", "idempotencyKey"),
    ],
)
def test_what_cannot_be_taken_says_which_field(changes: dict[str, Any], code: str, field: str) -> None:
    order = a_handed_over_order()
    assert refused(lambda: open_one(order, **changes)) == (code, field)
    assert not Claim.objects.exists()


@pytest.mark.django_db
def test_the_same_key_is_the_same_claim_and_with_other_words_is_refused() -> None:
    order = a_handed_over_order()
    claim = open_one(order, idempotency_key="one of the taps")
    assert open_one(order, idempotency_key="one of the taps") == claim
    assert refused(lambda: open_one(order, idempotency_key="one of the taps", words="不一样")) == (
        "already_opened_differently",
        "idempotencyKey",
    )
    assert refused(
        lambda: open_one(order, idempotency_key="one of the taps", photos=[a_photo(colour="green")])
    ) == ("already_opened_differently", "idempotencyKey")
    assert Claim.objects.count() == 1
    assert ClaimPhoto.objects.count() == 1


@pytest.mark.django_db
def test_somebody_elses_order_is_answered_like_none() -> None:
    li, wang = produce.a_person(email="li@buyer.example"), produce.a_person(email="wang@buyer.example")
    order = a_handed_over_order(user=li)
    for stranger in (None, wang):
        assert refused(lambda who=stranger: open_one(order, user=who)) == ("not_found", "order")
    assert refused(lambda: open_one(order, user=li, order_token=uuid4())) == ("not_found", "order")
    assert open_one(order, user=li).order_line.order == order


@pytest.mark.django_db
def test_a_line_of_another_order_cannot_be_claimed_about() -> None:
    shed = produce.a_shed()
    mine, other = a_handed_over_order(shed=shed), a_handed_over_order(shed=shed)
    assert refused(lambda: open_one(mine, line_pk=other.lines.get().pk)) == ("line_unknown", "line")


@pytest.mark.django_db
def test_what_was_not_handed_over_cannot_be_claimed_about() -> None:
    shed = produce.a_shed()
    order = place_order(request=a_request(shed), user=None, now=NOW)
    assert refused(lambda: open_one(order)) == ("line_unknown", "line")


@pytest.mark.django_db
def test_there_is_one_open_claim_a_line_and_a_pack_is_paid_for_once(staff: User) -> None:
    order = a_handed_over_order(packs=3)
    first = open_one(order, packs=2)
    assert refused(lambda: open_one(order)) == ("already_open", "line")
    accept_claim(claim_pk=first.pk, amount=None, staff=staff, now=NOW)
    assert refused(lambda: open_one(order, packs=2)) == ("packs_invalid", "packs")
    second = open_one(order, packs=1)
    refuse_claim(claim_pk=second.pk, reason="照片上看不出来", staff=staff, now=NOW)
    # A refused one does not use the packs up.
    assert open_one(order, packs=1).status == Status.OPEN
    line = order.lines.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.create(
            order_line=line,
            packs=1,
            problem="spoilt",
            words="x",
            idempotency_key="another key",
            opened_at=NOW,
        )


@pytest.mark.django_db
def test_fresh_goods_are_claimed_about_within_two_days_and_what_keeps_within_seven() -> None:
    order = a_handed_over_order()
    # Nothing was agreed about when: the hours count from the packing.
    Placement.objects.update(delivery_on=None, delivery_from=None, delivery_until=None)
    got_at = Fulfillment.objects.get().created
    (fresh,) = claimable_lines(order_pks=[order.pk])[order.pk]
    assert (fresh.packs, fresh.hours, fresh.until) == (3, 48, got_at + timedelta(hours=48))
    assert refused(lambda: open_one(order, now=fresh.until)) == ("too_late", "line")
    Good.objects.update(is_returnable=True)
    (lasting,) = claimable_lines(order_pks=[order.pk])[order.pk]
    assert (lasting.hours, lasting.until) == (168, got_at + timedelta(days=7))
    assert open_one(order, now=fresh.until).status == Status.OPEN


@pytest.mark.django_db
def test_the_hours_count_from_the_end_of_the_window_that_was_agreed() -> None:
    order = a_handed_over_order()
    placement = order.placement
    assert placement.delivery_on is not None and placement.delivery_until is not None
    end = datetime.combine(
        placement.delivery_on, placement.delivery_until, tzinfo=timezone.get_default_timezone()
    )
    (found,) = claimable_lines(order_pks=[order.pk])[order.pk]
    assert found.until == end + timedelta(hours=48)


# ---- Deciding -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_accepted_claim_owes_what_was_paid_or_less(staff: User) -> None:
    shed = produce.a_shed()
    whole = open_one(a_handed_over_order(shed=shed), packs=2)
    assert worth_of(whole) == Decimal("14.00")
    accepted = accept_claim(claim_pk=whole.pk, amount=None, staff=staff, now=NOW)
    assert (accepted.status, accepted.amount, accepted.settlement) == (
        Status.ACCEPTED,
        Decimal("14.00"),
        Settlement.OWED,
    )
    assert (accepted.decided_by, accepted.decided_at) == (staff, NOW)
    part = open_one(a_handed_over_order(shed=shed), packs=2)
    for amount in ("0", "-1", "14.01"):
        assert refused(
            lambda much=amount: accept_claim(claim_pk=part.pk, amount=Decimal(much), staff=staff, now=NOW)
        ) == ("amount_invalid", "amount")
    granted = accept_claim(claim_pk=part.pk, amount=Decimal("3.5"), staff=staff, now=NOW)
    assert granted.amount == Decimal("3.50")


@pytest.mark.django_db
def test_a_refusal_says_why_and_a_decision_is_made_once(staff: User) -> None:
    claim = open_one(a_handed_over_order())
    assert refused(lambda: refuse_claim(claim_pk=claim.pk, reason=" ", staff=staff, now=NOW)) == (
        "reason_missing",
        "reason",
    )
    assert refuse_claim(claim_pk=claim.pk, reason="不是我们的", staff=staff, now=NOW).settlement == ""
    assert refused(lambda: accept_claim(claim_pk=claim.pk, amount=None, staff=staff, now=NOW)) == (
        "decided",
        None,
    )


@pytest.mark.django_db
def test_a_voucher_on_the_goods_is_not_paid_back_and_one_on_the_freight_takes_nothing_off() -> None:
    order = a_handed_over_order(packs=3)
    claim = open_one(order, packs=1)
    voucher = Voucher.objects.create(code="SPRING", type="entire_order", discount_value=5, currency="CNY")
    Order.objects.update(voucher=voucher, discount_amount=Decimal("5.00"), total_gross_amount=Decimal("16"))
    # 7.00 of 21.00 goods, of which 16.00 were paid: 5.333…
    assert worth_of(Claim.objects.get(pk=claim.pk)) == Decimal("5.33")
    Voucher.objects.update(type="shipping")
    assert worth_of(Claim.objects.get(pk=claim.pk)) == Decimal("7.00")


@pytest.mark.django_db
def test_the_buyer_is_written_to_once(staff: User, mailoutbox: list[Any]) -> None:
    claim = open_one(a_handed_over_order(), packs=2)
    assert send_claim_decision(claim_pk=claim.pk, now=NOW) is False
    accept_claim(claim_pk=claim.pk, amount=Decimal("9.90"), staff=staff, now=NOW, reason="对不起")
    with translation.override("en"):
        assert send_claim_decision(claim_pk=claim.pk, now=NOW) is True
        assert send_claim_decision(claim_pk=claim.pk, now=NOW) is False
    (letter,) = mailoutbox
    assert letter.to == ["li@buyer.example"]
    assert "包赔已同意" in letter.subject
    assert "\n" not in letter.subject
    for said in ("¥9.90", "CNY 9.90", "对不起", f"/orders/{claim.order_line.order.token}/", "莴笋"):
        assert said in letter.body


@pytest.mark.django_db
def test_a_refusal_is_written_with_its_reason(staff: User, mailoutbox: list[Any]) -> None:
    claim = open_one(a_handed_over_order())
    refuse_claim(claim_pk=claim.pk, reason="照片上是别的菜", staff=staff, now=NOW)
    send_claim_decision(claim_pk=claim.pk, now=NOW)
    (letter,) = mailoutbox
    assert "没有通过" in letter.subject
    assert "照片上是别的菜" in letter.body
    assert "¥" not in letter.body


@pytest.mark.django_db
def test_the_staff_who_hear_of_orders_hear_of_a_new_claim(staff: User, mailoutbox: list[Any]) -> None:
    StaffNotificationRecipient.objects.create(staff_email="orders@town.example", user=staff, active=True)
    StaffNotificationRecipient.objects.create(
        user=produce.a_person(email="away@town.example", is_staff=True), active=False
    )
    claim = open_one(a_handed_over_order(), packs=2, words="两根烂了心")
    assert send_new_claim(claim_pk=claim.pk) == 1
    (letter,) = mailoutbox
    # get_email() names the user's own address first.
    assert letter.recipients() == ["zhao@town.example"]
    assert letter.attachments == []
    assert "\n" not in letter.subject
    order = claim.order_line.order
    assert f"订单 {order.pk} 有新的包赔申请" in letter.subject
    assert "莴笋" in letter.body and "× 2" in letter.body
    assert letter.body.count(f"/admin/ordering/claim/{claim.pk}/change/") == 2
    assert "烂了心" not in letter.body and "li@buyer.example" not in letter.body


@pytest.mark.django_db
def test_where_nobody_is_named_all_who_may_decide_hear_of_a_claim(mailoutbox: list[Any]) -> None:
    claim = open_one(a_handed_over_order())
    produce.a_person(email="packer@town.example", is_staff=True)
    assert send_new_claim(claim_pk=claim.pk) == 0
    assert mailoutbox == []
    may = Permission.objects.get(content_type__app_label="order", codename="manage_orders")
    for email in ("zhao@town.example", "qian@town.example"):
        produce.a_person(email=email, is_staff=True).user_permissions.add(may)
    assert send_new_claim(claim_pk=claim.pk) == 2
    (letter,) = mailoutbox
    # Neither learns the other's address.
    assert (letter.to, letter.bcc) == ([], ["zhao@town.example", "qian@town.example"])


@pytest.mark.django_db
def test_a_claim_that_is_decided_already_calls_nobody(staff: User, mailoutbox: list[Any]) -> None:
    StaffNotificationRecipient.objects.create(user=staff, active=True)
    claim = open_one(a_handed_over_order())
    refuse_claim(claim_pk=claim.pk, reason="照片上是别的菜", staff=staff, now=NOW)
    assert send_new_claim(claim_pk=claim.pk) == 0
    assert mailoutbox == []


@pytest.mark.django_db
def test_the_letter_is_asked_for_once_when_the_claim_is_kept(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(tasks.send_new_claim, "delay", asked.append)
    request = a_claim_request(a_handed_over_order())
    with django_capture_on_commit_callbacks(execute=True):
        claim = open_claim(request=request, user=None, now=NOW)
        assert asked == []
    with django_capture_on_commit_callbacks(execute=True):
        open_claim(request=request, user=None, now=NOW)
    assert asked == [str(claim.pk)]


# ---- Photos ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_photo_is_shown_to_whose_order_it_is_and_to_nobody_else() -> None:
    li, wang = produce.a_person(email="li@buyer.example"), produce.a_person(email="wang@buyer.example")
    shed = produce.a_shed()
    hers = a_handed_over_order(user=li, shed=shed)
    guests = a_handed_over_order(shed=shed)
    photo = open_one(hers, user=li).photos.get()
    token = UUID(hers.token)
    shown = claim_photo(order_token=token, photo_pk=photo.pk, user=li)
    assert shown is not None and shown.startswith(b"\xff\xd8\xff")
    for who in (None, wang):
        assert claim_photo(order_token=token, photo_pk=photo.pk, user=who) is None
    # Nor by the token of an order that one holds.
    assert claim_photo(order_token=UUID(guests.token), photo_pk=photo.pk, user=li) is None
    assert claim_photo(order_token=token, photo_pk=uuid4(), user=li) is None


@pytest.mark.django_db
def test_photos_go_some_months_after_the_decision(staff: User) -> None:
    shed = produce.a_shed()
    old, new = (open_one(a_handed_over_order(shed=shed)) for _ in range(2))
    still_open = open_one(a_handed_over_order(shed=shed))
    long_ago = NOW - timedelta(days=181)
    accept_claim(claim_pk=old.pk, amount=None, staff=staff, now=long_ago)
    accept_claim(claim_pk=new.pk, amount=None, staff=staff, now=NOW - timedelta(days=179))
    assert forget_photos(now=NOW) == 1
    assert set(ClaimPhoto.objects.values_list("claim", flat=True)) == {new.pk, still_open.pk}
    assert Claim.objects.count() == 3


# ---- At once --------------------------------------------------------------------------------------------------------


def at_once(act: Callable[[], Any], *, people: int = 2) -> list[Any]:
    """What each got, or what was raised."""
    start = threading.Barrier(people)
    answers: list[Any] = []

    def one() -> None:
        try:
            start.wait(timeout=30)
            answers.append(act())
        except Exception as error:
            answers.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(answers) == people
    return answers


@pytest.mark.django_db(transaction=True)
def test_a_double_tap_is_one_claim() -> None:
    order = a_handed_over_order()
    key = f"key-{uuid4()}"
    answers = at_once(lambda: open_one(order, idempotency_key=key), people=4)
    assert len({getattr(answer, "pk", answer) for answer in answers}) == 1, answers
    assert Claim.objects.count() == 1
    assert ClaimPhoto.objects.count() == 1
    assert connection.in_atomic_block is False


@pytest.mark.django_db(transaction=True)
def test_two_claims_about_one_line_are_one_claim_and_a_refusal() -> None:
    order = a_handed_over_order()
    answers = at_once(lambda: open_one(order))
    assert sorted(type(answer).__name__ for answer in answers) == ["Claim", "ClaimRefused"]
    assert Claim.objects.count() == 1
