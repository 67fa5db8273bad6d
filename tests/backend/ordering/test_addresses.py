"""李婶 pastes her address, as her daughter sent it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ordering.addresses import ReadAddress, read_address

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
