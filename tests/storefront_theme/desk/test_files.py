"""王会计 uploads the file that she keeps: sees what it would change, confirms, takes it back; and finds out why."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from urllib.parse import urljoin

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from backend.cooperatives.models import Membership, ProgramToken
from backend.cooperatives.services import issue_token
from backend.ordering.services import place_order
from backend.stock.models import Alert, Report
from storefront_theme.desk.stock_file import harmless, stock_csv
from tests import produce
from tests.backend.ordering.test_place_order import a_request
from tests.storefront_theme.desk.test_views import TwoSheds, count, sheds, signed_in, text_of

pytestmark = pytest.mark.django_db

__all__ = ["sheds"]

HEADINGS = "编码,品名,库存,单位\n"


def send(client: Client, content: str | bytes, *, name: str = "库存.csv", **posted: str) -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return client.post("/desk/files/", {"file": SimpleUploadedFile(name, raw), "basis": "SHELF", **posted})


def on_hand(sheds: TwoSheds) -> int:
    sheds.baima.supply.refresh_from_db()
    return sheds.baima.supply.on_hand


def test_a_file_is_shown_then_confirmed_then_taken_back(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    preview = send(client, HEADINGS + "XY-0001,莴笋,32.5,斤\n")["Location"]
    assert preview.startswith("/desk/files/")
    said = text_of(client.get(preview))
    assert "20 32.5 斤 +12.5" in said
    assert on_hand(sheds) == 10_000

    result = client.post(preview, {"do": "confirm"})["Location"]
    assert on_hand(sheds) == 16_250
    assert "uploaded file" in text_of(client.get(result, {"lang": "en"}))
    # Whoever goes back to the preview is shown what became of it.
    assert client.get(preview)["Location"] == result

    assert client.post(f"{result}undo/")["Location"] == result
    assert on_hand(sheds) == 10_000
    assert "Taken back" in text_of(client.get(result, {"lang": "en"}))
    assert "undo/" not in client.get(result).content.decode()


def test_what_a_newer_count_kept_is_taken_back_once_that_one_is_undone(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")

    def counted(jin: str) -> str:
        preview = send(client, HEADINGS + f"XY-0001,莴笋,{jin},斤\n")["Location"]
        return str(client.post(preview, {"do": "confirm"})["Location"])

    first, second = counted("32.5"), counted("40")
    client.post(f"{first}undo/")
    assert "Take the rest back" in text_of(client.get(first, {"lang": "en"}))
    client.post(f"{second}undo/")
    assert on_hand(sheds) == 16_250
    client.post(f"{first}undo/")
    assert on_hand(sheds) == 10_000
    assert "undo/" not in client.get(first).content.decode()


def test_what_waits_is_taken_over_only_where_it_is_ticked(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    preview = send(client, HEADINGS + "XY-0001,莴笋,约16,斤\n")["Location"]
    page = client.get(preview).content.decode()
    ticks = re.findall(r'<input type="checkbox" name="row" value="(\d+)">', page)
    assert ticks == ["2"]
    client.post(preview, {"do": "confirm"})
    assert on_hand(sheds) == 10_000

    again = send(client, HEADINGS + "XY-0001,莴笋,约17,斤\n")["Location"]
    client.post(again, {"do": "confirm", "row": ["2"]})
    assert on_hand(sheds) == 8_500


def test_what_waits_can_be_confirmed_later_from_its_list(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    client.post(send(client, HEADINGS + "XY-0001,莴笋,约16,斤\n")["Location"], {"do": "confirm"})
    page = client.get("/desk/waiting/").content.decode()
    report, row = re.findall(
        r'name="report" value="([^"]+)"><input type="hidden" name="row" value="(\d+)"', page
    )[0]
    other = signed_in("chen@fuxing.example")
    other.post("/desk/waiting/", {"report": report, "row": row})
    assert on_hand(sheds) == 10_000
    client.post("/desk/waiting/", {"report": report, "row": row})
    assert on_hand(sheds) == 8_000
    assert "约16" not in text_of(client.get("/desk/waiting/"))


def test_a_row_without_a_number_is_not_said_to_be_taken_over(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    count(client, supply=sheds.baima.supply, quantity="好多")
    meant = {"report": Report.objects.get().pk, "row": "1"}
    said = text_of(client.get(client.post("/desk/waiting/?lang=en", meant)["Location"]))
    assert "Taken over" not in said
    assert "Not taken over: “好多”" in said
    assert on_hand(sheds) == 10_000


def test_a_row_that_was_counted_again_meanwhile_is_not_said_to_be_taken_over(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    count(client, supply=sheds.baima.supply, quantity="约16")
    meant = {"report": Report.objects.get().pk, "row": "1"}
    count(client, supply=sheds.baima.supply, quantity="12")
    said = text_of(client.get(client.post("/desk/waiting/?lang=en", meant)["Location"]))
    assert "Taken over" not in said
    assert "Not taken over" in said
    assert on_hand(sheds) == 6_000


def test_a_row_that_cannot_be_used_names_its_cell_and_the_others_go_through(sheds: TwoSheds) -> None:
    aubergine = produce.a_product(name="茄子", slug="qiezi")
    produce.a_supply(cooperative=sheds.baima.cooperative, product=aubergine, on_hand=2_000, code="XY-0003")
    client = signed_in("wang@baima.example")
    preview = send(client, HEADINGS + "XY-0001,莴笋,16,斤\nXY-0003,茄子,-5,斤\n")["Location"]
    said = text_of(client.get(preview, {"lang": "en"}))
    assert re.search("茄子 row 3, .*?-5", said)
    client.post(preview, {"do": "confirm"})
    assert on_hand(sheds) == 8_000


def test_unknown_headings_are_asked_for_once(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    preview = send(client, "甲,乙,丙\nXY-0001,莴笋,16斤\n")["Location"]
    page = client.get(preview).content.decode()
    assert re.findall(r'name="header-\d" value="([^"]+)"', page) == ["甲", "乙", "丙"]
    headers = {f"header-{number}": header for number, header in enumerate("甲乙丙")}
    unclear = client.post(preview, {"do": "columns", **headers, "role-0": "CODE"})
    assert unclear.status_code == 422
    told = client.post(preview, {"do": "columns", **headers, "role-0": "CODE", "role-2": "QUANTITY"})
    assert "20 16 斤" in text_of(told)
    later = send(client, "甲,乙,丙\nXY-0001,莴笋,18斤\n")["Location"]
    assert "20 18 斤" in text_of(client.get(later))


def test_of_several_columns_that_may_be_the_stock_only_that_one_is_asked_for(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    file = "编码,品名,库存,剩余,单位\nXY-0001,莴笋,30,16,斤\n"
    preview = send(client, file)["Location"]
    page = client.get(preview).content.decode()
    assert "库存, 剩余" in page
    assert re.findall(r'<option value="(\w*)" selected>', page) == ["CODE", "NAME", "", "", "UNIT"]
    assert re.findall(r'id="below-(\d)">下面是：([^<]+)<', page)[2:4] == [("2", "30"), ("3", "16")]
    headers = re.findall(r'name="(header-\d)" value="([^"]+)"', page)
    said = {"role-0": "CODE", "role-1": "NAME", "role-3": "QUANTITY", "role-4": "UNIT"}
    assert "20 16 斤" in text_of(client.post(preview, {"do": "columns", **dict(headers), **said}))


def test_what_was_said_of_headings_stays_where_something_is_missing(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    preview = send(client, "甲,乙\nXY-0001,3\n")["Location"]
    page = client.post(preview, {"do": "columns", "header-0": "甲", "role-0": "CODE", "header-1": "乙"})
    assert page.status_code == 422
    assert '<option value="CODE" selected>' in page.content.decode()


def test_a_long_list_says_how_much_of_it_is_not_shown(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    rows = "".join(f"NO-{number},没有,约3,斤\n" for number in range(203))
    preview = send(client, HEADINGS + rows)["Location"]
    assert "… and 3 more rows." in text_of(client.get(preview, {"lang": "en"}))
    client.post(preview, {"do": "confirm"})
    report = client.get(f"/desk/reports/{Report.objects.get().pk}/", {"lang": "en"})
    assert "… and 3 more rows." in text_of(report)


def test_a_file_that_cannot_be_read_says_how_to_save_it(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    preview = send(client, b"%PDF-1.4 nothing to count", name="stock.pdf")["Location"]
    page = client.get(preview)
    assert 'role="alert"' in page.content.decode()
    assert 'value="confirm"' not in page.content.decode()


def test_a_file_that_was_put_aside_changes_nothing(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    preview = send(client, HEADINGS + "XY-0001,莴笋,16,斤\n")["Location"]
    assert client.post(preview, {"do": "discard"})["Location"] == "/desk/files/"
    assert client.post(preview, {"do": "confirm"}).status_code == 422 or on_hand(sheds) == 10_000
    assert on_hand(sheds) == 10_000


@pytest.mark.parametrize("content", ["", None])
def test_a_form_without_a_file_says_so(sheds: TwoSheds, content: str | None) -> None:
    client = signed_in("wang@baima.example")
    answer = client.post("/desk/files/", {"basis": "SHELF"}) if content is None else send(client, content)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


def test_another_cooperatives_file_is_not_there(sheds: TwoSheds) -> None:
    preview = send(signed_in("wang@baima.example"), HEADINGS + "XY-0001,莴笋,16,斤\n")["Location"]
    report = Report.objects.get()
    other = signed_in("chen@fuxing.example")
    for path in (
        preview,
        f"/desk/reports/{report.pk}/",
        f"/desk/reports/{report.pk}/raw/",
        "/desk/goods/XY-0001/",
    ):
        assert other.get(path).status_code == 404, path
    other.post(preview, {"do": "confirm"})
    other.post(f"/desk/reports/{report.pk}/undo/")
    assert on_hand(sheds) == 10_000


def test_the_raw_file_comes_back_byte_for_byte_and_never_as_a_page(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    raw = ("<script>alert(1)</script>," + HEADINGS).encode("gb18030")
    send(client, raw, name='a"<b>.html')
    answer = client.get(f"/desk/reports/{Report.objects.get().pk}/raw/")
    assert answer.content == raw
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_figure_leads_to_the_cell_and_to_the_order(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    client.post(send(client, HEADINGS + "XY-0001,莴笋,16,斤\n")["Location"], {"do": "confirm"})
    order = place_order(request=a_request(sheds.baima), user=None, now=timezone.now())
    assert 'href="/desk/goods/XY-0001/"' in client.get("/desk/").content.decode()
    page = client.get("/desk/goods/XY-0001/", {"lang": "en"})
    said = text_of(page)
    assert f"order {order.pk}" in said
    assert "16 斤 row 2" in said
    assert "wang@baima.example" in said
    assert "李" not in said.replace("李花", "")
    assert f'href="/desk/reports/{Report.objects.get().pk}/raw/"' in page.content.decode()


def test_the_stock_as_a_file_comes_back_unchanged(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    sheds.baima.supply.name = "=SUM(A1:A9)"
    sheds.baima.supply.save()
    answer = client.get("/desk/stock.csv")
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows == [["编码", "品名", "库存", "单位"], ["XY-0001", "'=SUM(A1:A9)", "20", "斤"]]
    preview = send(client, answer.content)["Location"]
    assert "1 row changes nothing" in text_of(client.get(preview, {"lang": "en"}))

    changed = answer.content.replace(b",20,", b",24,")
    client.post(send(client, changed)["Location"], {"do": "confirm"})
    assert on_hand(sheds) == 12_000


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_nothing_in_an_exported_file_is_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless("莴笋") == "莴笋"
    assert stock_csv([]).decode("utf-8-sig").startswith("编码")


def test_a_sold_out_tick_is_a_zero(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    answer = count(client, supply=sheds.baima.supply, quantity="", **{f"sold-{sheds.baima.supply.pk}": "yes"})
    assert answer.status_code == 302
    assert on_hand(sheds) == 0


def test_a_large_report_shows_how_far_it_is_and_renews_itself(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    send(client, HEADINGS + "XY-0001,莴笋,16,斤\n")
    Report.objects.update(status=Report.Status.RECEIVED)
    page = client.get(f"/desk/reports/{Report.objects.get().pk}/").content.decode()
    assert '<meta http-equiv="refresh" content="3">' in page
    assert "<progress" in page
    Report.objects.update(status=Report.Status.APPLIED)
    assert "http-equiv" not in client.get(f"/desk/reports/{Report.objects.get().pk}/").content.decode()


def test_a_manager_lets_a_program_in_and_out_again(sheds: TwoSheds) -> None:
    produce.a_member(
        cooperative=sheds.baima.cooperative, email="liu@baima.example", role=Membership.Role.MANAGER
    )
    client = signed_in("liu@baima.example")
    issued = client.post("/desk/programs/", {"name": "办公室进销存"}).content.decode()
    (text,) = re.findall(r"<code>(xycl_[\w-]+)</code>", issued)
    token = ProgramToken.objects.get()
    assert token.ending == text[-4:]
    assert text not in client.get("/desk/programs/").content.decode()
    client.post("/desk/programs/", {"revoke": token.pk})
    token.refresh_from_db()
    assert token.revoked_at is not None


@pytest.mark.parametrize("email", ["wang@baima.example", "chen@fuxing.example"])
def test_a_bookkeeper_is_told_to_ask_the_manager(sheds: TwoSheds, email: str) -> None:
    client = signed_in(email)
    assert client.get("/desk/programs/").status_code == 403
    assert client.post("/desk/programs/", {"name": "x"}).status_code == 403
    assert not ProgramToken.objects.exists()


def test_a_programs_report_is_told_by_its_name_on_every_page(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    count(client, supply=sheds.baima.supply, quantity="16")
    token, _text = issue_token(
        cooperative=sheds.baima.cooperative, name="办公室进销存", issued_by=None, now=timezone.now()
    )
    Report.objects.update(source=Report.Source.PUSH, submitted_by=None, program=token)
    name = f"办公室进销存 …{token.ending}"
    for address in ("/desk/reports/", f"/desk/reports/{Report.objects.get().pk}/", "/desk/goods/XY-0001/"):
        assert name in text_of(client.get(address))


def test_a_report_that_failed_is_tried_again_or_put_aside(
    sheds: TwoSheds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.stock.tasks.apply_report.delay", lambda _id: None)
    client = signed_in("wang@baima.example")
    count(client, supply=sheds.baima.supply, quantity="16")
    address = f"/desk/reports/{Report.objects.get().pk}/"
    for pressed, status in (("retry", Report.Status.RECEIVED), ("discard", Report.Status.DISCARDED)):
        Report.objects.update(status=Report.Status.FAILED, message="试了 8 次都没能入账")
        page = client.get(address)
        assert "试了 8 次都没能入账" in text_of(page)
        assert f'value="{pressed}"' in page.content.decode()
        assert client.post(f"{address}failed/", {"do": pressed})["Location"] == address
        assert Report.objects.get().status == status
    assert "failed/" not in client.get(address).content.decode()
    stranger = signed_in("chen@fuxing.example")
    Report.objects.update(status=Report.Status.FAILED)
    for pressed in ("retry", "discard"):
        stranger.post(f"{address}failed/", {"do": pressed})
    assert Report.objects.get().status == Report.Status.FAILED


def test_a_report_stands_under_the_name_of_its_own_cooperative_only(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    count(client, supply=sheds.baima.supply, quantity="16")
    Membership.objects.create(
        cooperative=sheds.fuxing_supply.cooperative,
        user=Membership.objects.get(user__email="wang@baima.example").user,
    )
    address = f"/desk/reports/{Report.objects.get().pk}/"
    preview = send(client, HEADINGS + "XY-0001,莴笋,17,斤\n", cooperative="baima")["Location"].split("?")[0]
    for each in (address, preview):
        page = client.get(each, {"cooperative": "baima"})
        assert page.status_code == 200
        assert client.get(each, {"cooperative": "fuxing"}).status_code == 404
        # The way to the other desk leads to what is there, not to this report under the other name.
        (other,) = re.findall(r'<a href="([^"]*\?cooperative=fuxing)"', page.content.decode())
        assert client.get(urljoin(each, other)).status_code == 200


def test_a_file_that_nobody_confirmed_yet_is_found_among_the_records(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    preview = send(client, HEADINGS + "XY-0001,莴笋,16,斤\n")["Location"]
    records = client.get("/desk/reports/").content.decode()
    (address,) = re.findall(r'<a href="(/desk/reports/[0-9a-f-]+/)"', records)
    page = client.get(address, follow=True)
    assert page.redirect_chain == [(preview, 302)]
    assert 'value="confirm"' in page.content.decode()


def test_putting_aside_what_a_colleague_confirmed_meanwhile_says_that_it_is_too_late(sheds: TwoSheds) -> None:
    client = signed_in("wang@baima.example")
    preview = send(client, HEADINGS + "XY-0001,莴笋,16,斤\n")["Location"]
    client.post(preview, {"do": "confirm"})
    late = client.post(f"{preview}?lang=en", {"do": "discard"}, follow=True)
    assert "not waiting to be confirmed any more" in text_of(late)
    assert on_hand(sheds) == 8_000


@pytest.mark.parametrize(
    "address",
    [
        "/desk/reports/?after=shortened",
        "/desk/waiting/?after=shortened",
        "/desk/goods/XY-0001/?after=shortened",
        "/desk/goods/a%00b/",
        "/desk/reports/a%00b/",
    ],
)
def test_an_address_that_leads_nowhere_is_not_found(sheds: TwoSheds, address: str) -> None:
    client = signed_in("wang@baima.example")
    client.raise_request_exception = False
    assert client.get(address).status_code == 404


def test_a_trouble_is_told_on_the_desk(sheds: TwoSheds) -> None:
    Alert.objects.create(
        kind=Alert.Kind.COUNTS_OLD,
        cooperative=sheds.baima.cooperative,
        message="白马合作社上一次盘点是在两天前。",
        since=timezone.now(),
        opened_at=timezone.now(),
    )
    assert "上一次盘点是在两天前" in text_of(signed_in("wang@baima.example").get("/desk/"))
    assert "上一次盘点是在两天前" not in text_of(signed_in("chen@fuxing.example").get("/desk/"))
