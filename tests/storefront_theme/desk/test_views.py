"""王会计 counts for 白马, 陈会计 for 福星, 李婶 only buys: on the real API, the real ledger and the real Stock rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from saleor.warehouse.models import Stock

from backend.cooperatives.models import Membership
from backend.ordering.services import place_order
from backend.stock.models import Report, Supply
from tests import produce
from tests.backend.ordering.test_place_order import a_request

pytestmark = pytest.mark.django_db

PASSWORD = "secret-of-the-test"


@dataclass(frozen=True)
class TwoSheds:
    baima: produce.Shed
    fuxing_supply: Supply


@pytest.fixture
def sheds() -> TwoSheds:
    baima = produce.a_shed(on_hand=10_000)
    fuxing = produce.a_cooperative(slug="fuxing", name="福星村蔬菜专业合作社")
    tomato = produce.a_product(name="番茄", slug="fanqie")
    supply = produce.a_supply(cooperative=fuxing, product=tomato, on_hand=4_000, code="XY-0002")
    produce.a_member(cooperative=baima.cooperative, email="wang@baima.example")
    produce.a_member(cooperative=fuxing, email="chen@fuxing.example")
    produce.a_person(email="li@buyer.example")
    return TwoSheds(baima=baima, fuxing_supply=supply)


def signed_in(email: str) -> Client:
    client = Client()
    answer = client.post("/desk/sign-in/", {"email": email, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/desk/")
    return client


def text_of(answer: Any) -> str:
    """What a page says, tags and white space taken out."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def count(client: Client, *, supply: Supply, quantity: str, **changed: str) -> Any:
    posted = {
        "cooperative": "baima",
        "key": "a-form",
        f"quantity-{supply.pk}": quantity,
        f"unit-{supply.pk}": "斤",
    }
    return client.post("/desk/", posted | changed)


def test_nobody_sees_a_desk_without_signing_in(client: Client, sheds: TwoSheds) -> None:
    for path in ("/desk/", "/desk/orders/", "/desk/reports/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"] == f"/desk/sign-in/?next={path.replace('/', '%2F')}"


def test_a_wrong_password_is_said_and_the_address_stays_in_its_field(client: Client, sheds: TwoSheds) -> None:
    answer = client.post("/desk/sign-in/", {"email": "wang@baima.example", "password": "wrong"})
    assert answer.status_code == 422
    assert 'value="wang@baima.example"' in answer.content.decode()
    assert 'role="alert"' in answer.content.decode()


def test_the_sign_in_sends_nobody_to_another_site(client: Client, sheds: TwoSheds) -> None:
    answer = client.post(
        "/desk/sign-in/",
        {"email": "wang@baima.example", "password": PASSWORD, "next": "https://elsewhere.example/"},
    )
    assert answer["Location"] == "/desk/"


def test_a_buyer_has_no_desk(sheds: TwoSheds) -> None:
    answer = signed_in("li@buyer.example").get("/desk/")
    assert answer.status_code == 403
    assert "莴笋" not in answer.content.decode()


def test_a_bookkeeper_sees_the_own_goods_with_todays_figures_and_no_others(sheds: TwoSheds) -> None:
    page = signed_in("wang@baima.example").get("/desk/").content.decode()
    assert f'name="quantity-{sheds.baima.supply.pk}"' in page
    assert 'placeholder="20"' in page
    assert "番茄" not in page


@pytest.mark.parametrize("path", ["/desk/", "/desk/orders/", "/desk/reports/"])
def test_another_cooperatives_desk_is_not_there(sheds: TwoSheds, path: str) -> None:
    assert signed_in("chen@fuxing.example").get(path, {"cooperative": "baima"}).status_code == 404


def test_counts_for_another_cooperative_change_nothing(sheds: TwoSheds) -> None:
    answer = count(signed_in("chen@fuxing.example"), supply=sheds.baima.supply, quantity="1")
    assert answer.status_code == 404
    sheds.baima.supply.refresh_from_db()
    assert sheds.baima.supply.on_hand == 10_000


def test_a_saved_count_reaches_the_stock_and_shows_before_and_after(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    answer = count(client, supply=sheds.baima.supply, quantity="32.5")
    assert answer.status_code == 302
    sheds.baima.supply.refresh_from_db()
    assert sheds.baima.supply.on_hand == 16_250
    assert Stock.objects.get(product_variant=sheds.baima.variant).quantity == 16
    said = text_of(client.get(answer["Location"]))
    assert "20 →" in said
    assert "32.5" in said
    assert "+12.5" in said


def test_a_second_tap_is_the_same_report_and_tells_the_same_story(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    first = count(client, supply=sheds.baima.supply, quantity="32.5")
    second = count(client, supply=sheds.baima.supply, quantity="32.5")
    assert second["Location"] == first["Location"]
    assert Report.objects.count() == 1
    assert "+12.5" in text_of(client.get(second["Location"]))


def test_a_count_that_was_taken_back_is_not_said_to_be_saved_by_the_same_form(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    saved = count(client, supply=sheds.baima.supply, quantity="16")
    client.post(f"/desk/reports/{Report.objects.get().pk}/undo/")
    again = count(client, supply=sheds.baima.supply, quantity="16")
    for answer in (saved, again):
        said = text_of(client.get(f"{answer['Location']}?lang=en", follow=True))
        assert "Taken back" in said
        assert "saved" not in said
    sheds.baima.supply.refresh_from_db()
    assert sheds.baima.supply.on_hand == 10_000


def test_six_hundred_goods_are_counted_in_one_form_and_the_last_one_is_told(sheds: TwoSheds) -> None:
    shed = sheds.baima.supply
    Supply.objects.bulk_create(
        Supply(
            cooperative=shed.cooperative, product=shed.product, unit=shed.unit, code=f"Z-{number}", name="菜"
        )
        for number in range(600)
    )
    last = Supply.objects.latest("pk")
    posted = {"cooperative": "baima", "key": "a-form"}
    for pk in Supply.objects.filter(cooperative=shed.cooperative).values_list("pk", flat=True):
        posted |= {f"quantity-{pk}": "-4" if pk == last.pk else "20", f"unit-{pk}": "斤"}
    client = signed_in("wang@baima.example")
    answer = client.post("/desk/", urlencode(posted), content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 302
    page = client.get(f"{answer['Location']}?lang=en")
    assert "600 goods saved" in text_of(page)
    assert f'name="quantity-{last.pk}" value="-4"' in page.content.decode()


def test_a_form_without_a_figure_changes_nothing_and_says_so(sheds: TwoSheds) -> None:
    answer = count(signed_in("wang@baima.example"), supply=sheds.baima.supply, quantity="  ")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Report.objects.exists()


def test_what_could_not_be_read_comes_back_in_its_field_with_the_reason(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    page = client.get(count(client, supply=sheds.baima.supply, quantity="好多")["Location"]).content.decode()
    field = f"quantity-{sheds.baima.supply.pk}"
    assert re.search(rf'<input id="{field}"[^>]*value="好多"[^>]*aria-invalid="true"', page)
    assert f'<p class="wrong" id="why-{sheds.baima.supply.pk}">' in page
    sheds.baima.supply.refresh_from_db()
    assert sheds.baima.supply.on_hand == 10_000


def test_a_figure_that_looks_like_a_slip_is_believed_when_it_is_written_again(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    doubtful = count(client, supply=sheds.baima.supply, quantity="200")
    assert 'aria-invalid="true"' in client.get(doubtful["Location"]).content.decode()
    sheds.baima.supply.refresh_from_db()
    assert sheds.baima.supply.on_hand == 10_000
    count(client, supply=sheds.baima.supply, quantity="200", key="the-form-on-the-next-page")
    sheds.baima.supply.refresh_from_db()
    assert sheds.baima.supply.on_hand == 100_000


def test_counts_outlive_a_sign_in_that_ran_out(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    session = client.session
    # Both that signs requests and that which would renew it.
    tokens = [name for name, kept in session.items() if str(kept).count(".") == 2]
    assert tokens
    for name in tokens:
        session[name] = "no.longer.good"
    session.save()
    answer = count(client, supply=sheds.baima.supply, quantity="32.5")
    assert answer["Location"].startswith("/desk/sign-in/")
    client.post("/desk/sign-in/", {"email": "wang@baima.example", "password": PASSWORD})
    assert re.search(r'name="quantity-\d+" value="32.5"', client.get("/desk/").content.decode())
    sheds.baima.supply.refresh_from_db()
    assert sheds.baima.supply.on_hand == 10_000


def sign_in_again(client: Client, sent: Any) -> Any:
    """From where a form without a session was sent to: signs in there, and gives the page that follows."""
    address = sent["Location"]
    assert address.startswith("/desk/sign-in/?")
    asked = client.get(address)
    (after,) = re.findall(r'name="next" value="([^"]*)"', asked.content.decode())
    posted = {"email": "wang@baima.example", "password": PASSWORD, "next": unescape(after)}
    return client.get(client.post(address, posted)["Location"])


@pytest.mark.parametrize("button", ["undo", "failed"])
def test_a_button_without_a_session_leads_back_to_its_page(sheds: TwoSheds, button: str) -> None:
    count(signed_in("wang@baima.example"), supply=sheds.baima.supply, quantity="16")
    client = Client()
    sent = client.post(f"/desk/reports/{Report.objects.get().pk}/{button}/?cooperative=baima")
    assert "Your counts are kept" not in text_of(client.get(sent["Location"] + "&lang=en"))
    page = sign_in_again(client, sent)
    assert page.status_code == 200
    assert "undo/" in page.content.decode()


def test_counts_for_the_second_of_two_desks_outlive_a_sign_in_that_ran_out(sheds: TwoSheds) -> None:
    Membership.objects.create(
        cooperative=sheds.fuxing_supply.cooperative,
        user=Membership.objects.get(user__email="wang@baima.example").user,
    )
    form = signed_in("wang@baima.example").get("/desk/", {"cooperative": "fuxing"}).content.decode()
    (address,) = re.findall(r'<form method="post" action="([^"]+)" class="counting"', form)
    client = Client()
    posted = {"cooperative": "fuxing", f"quantity-{sheds.fuxing_supply.pk}": "7", "key": "a-form"}
    page = sign_in_again(client, client.post(unescape(address), posted))
    assert f'name="quantity-{sheds.fuxing_supply.pk}" value="7"' in page.content.decode()


def test_a_count_below_what_is_promised_is_shown_as_missing(sheds: TwoSheds) -> None:
    basket = produce.a_basket({sheds.baima.variant: 4})
    place_order(request=a_request(sheds.baima, basket=basket), user=None, now=timezone.now())
    client = signed_in("wang@baima.example")
    count(client, supply=sheds.baima.supply, quantity="5")
    page = client.get("/desk/").content.decode()
    assert re.search(r'<section class="short".*?<b>莴笋</b> <span>[^<]*\b3\b', page, re.DOTALL)


def test_the_pack_list_masks_who_ordered(sheds: TwoSheds) -> None:
    place_order(request=a_request(sheds.baima), user=None, now=timezone.now())
    said = text_of(signed_in("wang@baima.example").get("/desk/orders/"))
    assert "莴笋" in said
    assert "× 2" in said
    assert "138****8000" in said
    assert "13800138000" not in said
    assert "秀英" not in said
    assert "× 2" not in text_of(signed_in("chen@fuxing.example").get("/desk/orders/"))


def test_a_report_is_kept_with_its_rows_and_shown_to_its_own_cooperative_only(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    count(client, supply=sheds.baima.supply, quantity="好多")
    report = Report.objects.get()
    assert f"/desk/reports/{report.pk}/" in client.get("/desk/reports/").content.decode()
    assert "好多" in client.get(f"/desk/reports/{report.pk}/").content.decode()
    other = signed_in("chen@fuxing.example")
    for path in (f"/desk/reports/{report.pk}/", f"/desk/saved/{report.pk}/", "/desk/reports/no-such-report/"):
        assert other.get(path).status_code == 404


def test_signing_out_shuts_the_desk(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    assert client.post("/desk/sign-out/")["Location"] == "/desk/sign-in/"
    assert client.get("/desk/").status_code == 302
