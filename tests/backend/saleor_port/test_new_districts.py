from __future__ import annotations

from typing import Any

import pytest
from saleor.account.forms import get_address_form

from backend.saleor_port import without

ANZHOU = {
    "first_name": "赵",
    "last_name": "敏",
    "street_address_1": "花荄镇",
    "city": "绵阳市",
    "city_area": "安州区",
    "country_area": "四川省",
    "postal_code": "622650",
    "country": "CN",
    "phone": "+8613800138000",
}


def errors(**changes: Any) -> dict[str, Any]:
    form, _preview = get_address_form({**ANZHOU, **changes}, country_code="CN")
    return dict(form.errors)


def test_a_district_of_2016_is_an_address() -> None:
    assert errors() == {}
    with without("new_districts"):
        assert "city_area" in errors()


@pytest.mark.parametrize("changes", [{"city": "绵羊市"}, {"country_area": "四州省"}, {"postal_code": "1"}])
def test_what_else_is_wrong_stays_wrong(changes: dict[str, str]) -> None:
    assert errors(**changes)
