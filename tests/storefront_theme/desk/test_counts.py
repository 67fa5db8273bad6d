"""The counting form as such: no shop, no page."""

from typing import Any

import pytest
from django.utils import translation

from storefront_theme.desk.counts import (
    Typed,
    Unit,
    changes,
    difference,
    fields,
    figure,
    read_typed,
    report_key,
    report_lines,
    taken_over,
    units_of,
)


def a_supply(**changed: Any) -> dict[str, Any]:
    return {
        "id": "7",
        "code": "XY-0007",
        "name": "莴笋",
        "unit": "GRAM",
        "onHand": 64_250,
        "allocated": 6_000,
        "free": 58_250,
        "countedAt": "2026-11-23T06:10:00+08:00",
        "containerName": "",
        "containerUnits": None,
        "shortfall": None,
        "product": {"thumbnail": None},
        **changed,
    }


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    "base_units, unit, written",
    [
        (64_250, "GRAM", "128.5"),
        (500, "GRAM", "1"),
        (0, "GRAM", "0"),
        (150_000, "GRAM", "300"),
        (1, "GRAM", "0.002"),
        (1_260, "PIECE", "1260"),
    ],
)
def test_grams_are_read_as_jin_and_pieces_as_they_are(base_units: int, unit: str, written: str) -> None:
    assert figure(base_units, unit=unit) == written


def test_a_difference_has_its_sign() -> None:
    assert difference(before=500, after=6_750, unit="GRAM") == "+12.5"
    assert difference(before=40, after=37, unit="PIECE") == "−3"
    assert difference(before=8, after=8, unit="PIECE") == "0"


def test_jin_is_the_usual_unit_and_a_known_container_may_be_chosen() -> None:
    assert [unit.value for unit in units_of(a_supply())] == ["斤", "公斤", "g"]
    basket = a_supply(containerName="筐", containerUnits=15_000)
    assert units_of(basket)[-1] == Unit("筐", "筐 of 30 jin")
    assert [unit.value for unit in units_of(a_supply(containerName="筐"))] == ["斤", "公斤", "g"]
    assert [unit.value for unit in units_of(a_supply(unit="PIECE"))] == ["个"]


def test_what_comes_in_single_containers_is_counted_in_them() -> None:
    oil = a_supply(unit="PIECE", containerName="桶", containerUnits=1, onHand=39)
    assert units_of(oil) == (Unit("桶", "桶"),)
    assert fields([oil], typed={})[0].unit_label == "桶"
    eggs = a_supply(unit="PIECE", containerName="板", containerUnits=30)
    assert [unit.label for unit in units_of(eggs)] == ["pcs", "板 of 30 pcs"]


def test_only_filled_fields_are_reported_as_they_were_typed() -> None:
    supplies = [a_supply(), a_supply(id="8", code="XY-0008"), a_supply(id="9", code="XY-0009")]
    typed = read_typed(
        {
            "quantity-7": " 一百二 ",
            "unit-7": "公斤",
            "quantity-8": "   ",
            "quantity-9": "0",
            "unit-9": "吨",
            "quantity-1": "5",
        },
        supplies=supplies,
    )
    assert typed == {"7": Typed("一百二", "公斤"), "9": Typed("0", "斤")}
    assert report_lines(typed, supplies=supplies) == [
        {"code": "XY-0007", "quantity": "一百二", "unit": "公斤"},
        {"code": "XY-0009", "quantity": "0", "unit": "斤"},
    ]


def test_a_second_tap_has_the_same_key_and_a_corrected_form_another() -> None:
    line = {"code": "XY-0007", "quantity": "12", "unit": "斤"}
    key = report_key("f0f0", lines=[line])
    assert report_key("f0f0", lines=[dict(line)]) == key
    assert report_key("f0f0", lines=[line | {"quantity": "13"}]) != key
    assert report_key("abcd", lines=[line]) != key
    assert len(report_key("f" * 500, lines=[line])) <= 100


def test_a_field_says_what_lies_there_what_is_promised_and_what_is_missing() -> None:
    (field,) = fields([a_supply(allocated=65_000, free=-750, shortfall=750)], typed={})
    assert (field.on_hand, field.promised, field.free, field.shortfall) == ("128.5", "130", "0", "1.5")
    assert field.typed == Typed("", "斤")
    (quiet,) = fields([a_supply(allocated=0)], typed={"7": Typed("三十多", "斤")}, messages={"7": "eh?"})
    assert (quiet.promised, quiet.shortfall, quiet.typed.quantity, quiet.message) == ("", "", "三十多", "eh?")


def test_what_was_taken_over_is_shown_as_before_and_after() -> None:
    accepted = {"outcome": "ACCEPTED", "supply": a_supply(onHand=70_000), "baseUnits": 70_000, "message": ""}
    refused = accepted | {"outcome": "REFUSED", "baseUnits": None}
    (change,) = changes([accepted, refused], before={"7": 64_250})
    assert (change.before, change.after, change.difference) == ("128.5", "140", "+11.5")
    (unknown,) = changes([accepted], before={})
    assert (unknown.before, unknown.after, unknown.difference) == ("", "140", "")
    assert taken_over(accepted) == "140 jin"
    assert taken_over(refused) == ""
