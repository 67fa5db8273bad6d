"""赵干事 decides on claims in the admin."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from saleor.account.models import User

from backend.ordering import tasks
from backend.ordering.claims import accept_claim
from backend.ordering.models import Claim
from tests import produce
from tests.backend.ordering.test_claims import a_handed_over_order, a_photo, open_one

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def staff(client: Client) -> User:
    person = produce.a_person(email="zhao@town.example", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="manage_orders"))
    client.force_login(person, backend="backend.saleor_port.sign_in.PasswordBackend")
    return person


@pytest.fixture
def queued() -> Any:
    with (
        mock.patch.object(tasks.pay_claim, "delay") as pay,
        mock.patch.object(tasks.send_claim_decision, "delay") as tell,
    ):
        yield pay, tell


def page_of(claim: Claim) -> str:
    return reverse("admin:ordering_claim_change", args=[claim.pk])


def decide(client: Client, claim: Claim, callbacks: Any, **form: str) -> Any:
    with callbacks(execute=True):
        return client.post(page_of(claim), {"decision": "accept", "granted": "", "reason": "", **form})


def test_a_claim_is_accepted_in_part_and_the_money_and_the_letter_follow(
    client: Client, staff: User, queued: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    claim = open_one(a_handed_over_order(), packs=2, photos=[a_photo(), a_photo()])
    shown = client.get(page_of(claim)).content.decode()
    assert "两根烂了心" in shown
    assert "14.00" in shown
    assert shown.count("/admin/ordering/claim/photo/") == 4
    answer = decide(client, claim, django_capture_on_commit_callbacks, granted="9.5", reason="对不起")
    assert answer.status_code == 302
    claim.refresh_from_db()
    assert (claim.status, claim.amount, claim.reason, claim.decided_by) == (
        "accepted",
        Decimal("9.50"),
        "对不起",
        staff,
    )
    pay, tell = queued
    pay.assert_called_once_with(str(claim.pk))
    tell.assert_called_once_with(str(claim.pk))
    # From now on it is only looked at.
    assert 'name="decision"' not in client.get(page_of(claim)).content.decode()
    assert (
        decide(client, claim, django_capture_on_commit_callbacks, decision="refuse", reason="x").status_code
        == 403
    )


@pytest.mark.parametrize(
    "form",
    [
        {"decision": "refuse", "reason": " "},
        {"decision": "accept", "granted": "14.01"},
        {"decision": "accept", "granted": "0"},
        {"decision": "", "granted": "1"},
    ],
)
def test_a_decision_that_cannot_stand_changes_nothing(
    client: Client,
    staff: User,
    queued: Any,
    form: dict[str, str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    claim = open_one(a_handed_over_order(), packs=2)
    answer = decide(client, claim, django_capture_on_commit_callbacks, **form)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    claim.refresh_from_db()
    assert claim.status == Claim.Status.OPEN
    assert not queued[0].called and not queued[1].called


def test_a_refusal_is_told_and_nothing_is_paid(
    client: Client, staff: User, queued: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    claim = open_one(a_handed_over_order())
    decide(client, claim, django_capture_on_commit_callbacks, decision="refuse", reason="照片上看不出来")
    claim.refresh_from_db()
    assert (claim.status, claim.reason, claim.settlement) == ("refused", "照片上看不出来", "")
    assert not queued[0].called
    queued[1].assert_called_once_with(str(claim.pk))


def test_photos_are_shown_to_who_may_decide_as_pictures_that_run_nothing(client: Client, staff: User) -> None:
    photo = open_one(a_handed_over_order()).photos.get()
    address = reverse("admin:ordering_claim_photo", args=[photo.pk])
    answer = client.get(address)
    assert answer.content == bytes(photo.jpeg)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    staff.user_permissions.clear()
    assert client.get(address).status_code == 404
    client.logout()
    assert client.get(address).status_code == 302


def test_money_that_did_not_go_out_is_owed_again_when_somebody_says_so(client: Client, staff: User) -> None:
    stuck, paid = (open_one(a_handed_over_order(shed=shed)) for shed in [produce.a_shed()] * 2)
    for claim, settlement in ((stuck, "unclear"), (paid, "paid")):
        accept_claim(claim_pk=claim.pk, amount=None, staff=staff, now=NOW)
        Claim.objects.filter(pk=claim.pk).update(settlement=settlement)
    answer = client.post(
        reverse("admin:ordering_claim_changelist"),
        {"action": "try_again", "_selected_action": [str(stuck.pk), str(paid.pk)]},
        follow=True,
    )
    assert answer.status_code == 200
    stuck.refresh_from_db()
    paid.refresh_from_db()
    assert (stuck.settlement, paid.settlement) == ("owed", "paid")
