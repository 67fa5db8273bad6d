"""李婶 pastes her address, as her daughter sent it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ordering.addresses import Division, ReadAddress, divisions_of, read_address

XINYI = ("四川省", "绵阳市", "游仙区")


@pytest.mark.parametrize(
    "text, name, phone, place, street",
    [
        (
            "李秀英 13800138000 四川省绵阳市游仙区信义镇白马路1号",
            "李秀英",
            "13800138000",
            XINYI,
            "信义镇白马路1号",
        ),
        (
            "四川省绵阳市游仙区信义镇白马路1号 李秀英 13800138000",
            "李秀英",
            "13800138000",
            XINYI,
            "信义镇白马路1号",
        ),
        (
            "四川省绵阳市游仙区信义镇白马路1号,李秀英,138-0013-8000",
            "李秀英",
            "13800138000",
            XINYI,
            "信义镇白马路1号",
        ),
        (
            "收货人:李秀英\n手机号码:+86 138 0013 8000\n所在地区:四川省 绵阳市 游仙区\n详细地址:信义镇白马路1号",
            "李秀英",
            "13800138000",
            XINYI,
            "信义镇白马路1号",
        ),
        ("绵阳游仙区信义镇福星村3组 李婶 13800138000", "李婶", "13800138000", XINYI, "信义镇福星村3组"),
        ("四川绵阳游仙 信义镇福星村 13800138000", "", "13800138000", XINYI, "信义镇福星村"),
        ("13800138000李秀英四川省绵阳市游仙区信义镇", "李秀英", "13800138000", XINYI, "信义镇"),
        ("游仙区信义镇刘家场12号", "", "", XINYI, "信义镇刘家场12号"),
        (
            "王先生 １３９００１３９０００ 绵阳市涪城区临园路东段72号",
            "王先生",
            "13900139000",
            ("四川省", "绵阳市", "涪城区"),
            "临园路东段72号",
        ),
        (
            "四川省绵阳市安州区花荄镇 赵敏 13800138000",
            "赵敏",
            "13800138000",
            ("四川省", "绵阳市", "安州区"),
            "花荄镇",
        ),
        (
            "北京市海淀区中关村大街27号 陈晨 13800138000",
            "陈晨",
            "13800138000",
            ("北京市", "北京市", "海淀区"),
            "中关村大街27号",
        ),
        ("北京市北京市海淀区中关村大街27号", "", "", ("北京市", "北京市", "海淀区"), "中关村大街27号"),
        (
            "重庆市渝北区龙溪街道 1栋2单元301室 刘洋",
            "刘洋",
            "",
            ("重庆市", "重庆市", "渝北区"),
            "龙溪街道 1栋2单元301室",
        ),
        (
            "四川省阿坝藏族羌族自治州汶川县威州镇",
            "",
            "",
            ("四川省", "阿坝藏族羌族自治州", "汶川县"),
            "威州镇",
        ),
        ("广西南宁市青秀区民族大道", "", "", ("广西壮族自治区", "南宁市", "青秀区"), "民族大道"),
        ("四川省绵阳市", "", "", ("四川省", "绵阳市", ""), ""),
        ("李秀英", "李秀英", "", ("", "", ""), ""),
        ("白马路1号", "", "", ("", "", ""), "白马路1号"),
        ("", "", "", ("", "", ""), ""),
    ],
)
def test_an_address_is_read_as_it_is_pasted(
    text: str, name: str, phone: str, place: tuple[str, str, str], street: str
) -> None:
    read = read_address(text)
    assert (read.name, read.phone, (read.province, read.city, read.district), read.street) == (
        name,
        phone,
        place,
        street,
    )


def test_the_postcode_is_the_one_that_was_written_or_the_districts_own() -> None:
    assert read_address("四川省绵阳市游仙区信义镇 621023").postcode == "621023"
    assert read_address("四川省绵阳市游仙区信义镇").postcode == "621022"
    assert read_address("四川省绵阳市游仙区信义镇 138001号楼").postcode == "621022"


def test_half_a_number_is_no_phone() -> None:
    assert read_address("四川省绵阳市游仙区 1380013800").phone == ""
    assert read_address("四川省绵阳市游仙区 138001380001").phone == ""


@given(st.text(max_size=600))
def test_nothing_that_is_pasted_breaks_it(text: str) -> None:
    read = read_address(text)
    assert isinstance(read, ReadAddress)
    assert len(read.street) <= 600


def names(divisions: tuple[Division, ...]) -> list[str]:
    return [each.name for each in divisions]


def test_the_lists_of_an_address_go_down_to_the_town() -> None:
    found = divisions_of(province="四川省", city="绵阳市", district="游仙区")
    assert len(found.provinces) == 34 and len(found.cities) == 21
    assert names(found.districts) == [
        "涪城区",
        "游仙区",
        "安州区",
        "三台县",
        "盐亭县",
        "梓潼县",
        "北川羌族自治县",
        "平武县",
        "江油市",
    ]
    assert {each.name: each.postcode for each in found.districts}["安州区"] == "622650"
    assert "信义镇" in names(found.towns) and "春雷街道" in names(found.towns)


@pytest.mark.parametrize(
    "place, cities, districts",
    [
        (("", "", ""), 0, 0),
        (("四川省", "", ""), 21, 0),
        (("四川省", "长沙市", "游仙区"), 21, 0),
        (("四川省", "成都市", "郫都区"), 21, 20),
        (("不存在省", "绵阳市", "游仙区"), 0, 0),
    ],
)
def test_below_what_is_not_chosen_there_is_nothing_to_choose(
    place: tuple[str, str, str], cities: int, districts: int
) -> None:
    found = divisions_of(province=place[0], city=place[1], district=place[2])
    assert (len(found.cities), len(found.districts), found.towns) == (cities, districts, ())


def test_a_municipality_is_its_own_city() -> None:
    found = divisions_of(province="北京市", city="北京市", district="海淀区")
    assert names(found.cities) == ["北京市"]
    assert "海淀区" in names(found.districts)


@pytest.mark.parametrize(
    "text, city, district",
    [
        ("四川省成都市郫都区郫筒街道1号", "成都市", "郫都区"),
        ("成都郫县郫筒街道1号", "成都市", "郫都区"),
        ("四川省简阳市射洪坝街道2号", "成都市", "简阳市"),
    ],
)
def test_districts_are_understood_by_their_old_names_too(text: str, city: str, district: str) -> None:
    read = read_address(text)
    assert (read.city, read.district) == (city, district)
