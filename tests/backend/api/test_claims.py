"""Claims over the API: who may open and see them, and photos in multipart requests."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import uuid4

import graphene
import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from saleor.order.models import Order

from backend.ordering.models import Claim
from tests import produce
from tests.backend.api.conftest import Ask
from tests.backend.ordering.test_claims import a_handed_over_order, a_photo

pytestmark = pytest.mark.django_db

CLAIM_OPEN = (django_settings.TRUSTED_DOCUMENTS[0] / "ClaimOpen.graphql").read_text(encoding="utf-8")
ORDER = """query($order: UUID!) { orderByToken(token: $order) {
  claims { status packs words photos { id } orderLine { productName } }
  claimable { packs hours orderLine { id } }
  lines { lots { packs lot { code traceCode recalledAt } } } } }"""
PHOTO = "query($order: UUID!, $id: UUID!) { claimPhoto(order: $order, id: $id) }"

Send = Callable[..., dict[str, Any]]


def an_input(order: Order, **changes: Any) -> dict[str, Any]:
    return {
        "order": order.token,
        "line": graphene.Node.to_global_id("OrderLine", order.lines.get().pk),
        "packs": 1,
        "problem": "SPOILT",
        "words": "烂了",
        "idempotencyKey": f"key-{uuid4()}",
        **changes,
    }


@pytest.fixture
def send(client: Client) -> Send:
    """Open a claim with two photos, the way that clients send files."""

    def post(
        given: dict[str, Any], *, token: str = "", query: str = CLAIM_OPEN, photos: Any = None
    ) -> dict[str, Any]:
        files = {f"{at}": photo for at, photo in enumerate(photos or [a_photo(), a_photo(colour="red")])}
        answer: dict[str, Any] = client.post(
            "/graphql/",
            {
                "operations": json.dumps(
                    {"query": query, "variables": {"input": given, "photos": [None] * len(files)}}
                ),
                "map": json.dumps({name: [f"variables.photos.{name}"] for name in files}),
                **files,
            },
            headers={"Authorization": f"JWT {token}"} if token else {},
        ).json()
        return answer

    return post


def test_a_guest_claims_with_two_photos_and_sees_what_came_of_it(send: Send, ask: Ask, settings: Any) -> None:
    # As in production: nobody who has not signed in sends files with a document of their own.
    settings.TRUSTED_DOCUMENTS_ONLY = True
    order = a_handed_over_order()
    answer = send(an_input(order, packs=2))["data"]["claimOpen"]
    assert answer["errors"] == []
    settings.TRUSTED_DOCUMENTS_ONLY = False
    seen = ask(ORDER, order=order.token)["data"]["orderByToken"]
    (claim,) = seen["claims"]
    assert (claim["status"], claim["packs"], claim["words"]) == ("OPEN", 2, "烂了")
    assert claim["orderLine"] == {"productName": "莴笋"}
    assert len(claim["photos"]) == 2
    assert seen["claimable"] == []
    shown = ask(PHOTO, order=order.token, id=claim["photos"][0]["id"])["data"]["claimPhoto"]
    with Image.open(BytesIO(base64.b64decode(shown))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 48))


def test_files_of_a_strangers_own_document_are_refused(send: Send) -> None:
    order = a_handed_over_order()
    answer = send(an_input(order), query=CLAIM_OPEN + "\n# mine")
    assert answer["errors"][0]["extensions"]["exception"]["code"] == "NO_FILES"
    assert not Claim.objects.exists()


def test_a_buyers_claims_and_photos_are_hers_though_somebody_has_the_orders_address(
    send: Send, ask: Ask, sign_in: Callable[..., str]
) -> None:
    li = produce.a_person(email="li@buyer.example")
    produce.a_person(email="wang@buyer.example")
    order = a_handed_over_order(user=li)
    hers, his = sign_in("li@buyer.example"), sign_in("wang@buyer.example")
    for token in ("", his):
        answer = send(an_input(order), token=token)["data"]["claimOpen"]
        assert [error["code"] for error in answer["errors"]] == ["NOT_FOUND"]
    for token, lines in (("", 0), (his, 0), (hers, 1)):
        assert len(seen_by(ask, token, order=order)["claimable"]) == lines
    assert send(an_input(order), token=hers)["data"]["claimOpen"]["errors"] == []
    photo = Claim.objects.get().photos.first()
    assert photo is not None
    for token, claims in (("", 0), (his, 0), (hers, 1)):
        assert len(seen_by(ask, token, order=order)["claims"]) == claims
        shown = ask(PHOTO, token=token, order=order.token, id=str(photo.pk))["data"]["claimPhoto"]
        assert (shown is not None) == bool(claims)


def seen_by(ask: Ask, token: str, *, order: Order) -> dict[str, Any]:
    found: dict[str, Any] = ask(ORDER, token=token, order=order.token)["data"]["orderByToken"]
    return found


def test_what_is_claimable_is_told_with_its_time_and_from_which_lots_it_was_packed(ask: Ask) -> None:
    shed = produce.a_shed()
    lot = produce.a_lot(shed)
    order = a_handed_over_order(shed=shed, packs=3)
    seen = seen_by(ask, "", order=order)
    line = graphene.Node.to_global_id("OrderLine", order.lines.get().pk)
    assert seen["claimable"] == [{"packs": 3, "hours": 48, "orderLine": {"id": line}}]
    assert seen["lines"] == [
        {"lots": [{"packs": 3, "lot": {"code": "BM-1", "traceCode": lot.trace_code, "recalledAt": None}}]}
    ]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"line": "nonsense"}, "LINE_UNKNOWN", "line"),
        ({"line": graphene.Node.to_global_id("Order", 1)}, "LINE_UNKNOWN", "line"),
        ({"packs": 4}, "PACKS_INVALID", "packs"),
        ({"words": ""}, "WORDS_MISSING", "words"),
        ({"idempotencyKey": "x"}, "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    send: Send, changes: dict[str, Any], code: str, field: str
) -> None:
    answer = send(an_input(a_handed_over_order(), **changes))["data"]["claimOpen"]
    assert [(error["code"], error["field"]) for error in answer["errors"]] == [(code, field)]


def test_a_picture_that_is_a_page_is_refused(send: Send) -> None:
    page = SimpleUploadedFile("a.jpg", b"<html>", "image/jpeg")
    answer = send(an_input(a_handed_over_order()), photos=[page])["data"]["claimOpen"]
    assert [error["code"] for error in answer["errors"]] == ["PHOTO_UNREADABLE"]


def test_a_claim_without_its_files_is_told_so(ask: Ask) -> None:
    order = a_handed_over_order()
    answer = ask(CLAIM_OPEN, input=an_input(order), photos=["nothing"])["data"]["claimOpen"]
    assert [error["code"] for error in answer["errors"]] == ["PHOTOS_MISSING"]


def test_an_order_is_claimed_about_so_often_only(send: Send, settings: Any) -> None:
    settings.ATTEMPTS = {**settings.ATTEMPTS, "claim_of_order": (2, 600)}
    order = a_handed_over_order()
    codes = [
        [error["code"] for error in send(an_input(order, words=""))["data"]["claimOpen"]["errors"]]
        for _ in range(3)
    ]
    assert codes == [["WORDS_MISSING"], ["WORDS_MISSING"], ["TOO_MANY_ATTEMPTS"]]
