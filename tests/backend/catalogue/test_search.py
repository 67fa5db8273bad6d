"""What people type, and what they meant."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from saleor.product.models import Product, ProductTranslation

from backend.catalogue.models import Dish, Good, Ingredient, SearchEntry
from backend.catalogue.search import readings
from backend.catalogue.search.selectors import find
from backend.catalogue.search.services import index_all
from backend.catalogue.search.words import Lexemes, add_names, read_phrase
from backend.catalogue.tasks import index_search
from backend.config.demo import goods, places
from backend.config.demo.files import read_rows
from backend.cooperatives.models import Village
from tests import produce

pytestmark = pytest.mark.django_db

TABLE = Path(__file__).with_name("search_queries.toml")


@pytest.fixture
def catalogue() -> None:
    """The demo shop's villages, cooperatives, goods and dishes, indexed; nothing has been counted."""
    villages = places.load_villages()
    places.load_cooperatives(villages=villages, zone=places.load_shipping())
    products = goods.load_goods(categories=goods.load_categories(), villages=villages)
    goods.load_dishes(products=products)
    index_all()


def expected(names: list[str]) -> Iterator[tuple[str, set[str]]]:
    by_kind: dict[str, set[str]] = defaultdict(set)
    for name in names:
        kind, _colon, slug = name.rpartition(":")
        by_kind[kind or "product"].add(slug)
    yield from by_kind.items()


def test_every_query_of_the_table_finds_first_what_was_meant(catalogue: None) -> None:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    queries = [(typed, names) for part in table.values() for typed, names in part.items()]
    assert len(queries) >= 120
    wrong = []
    for typed, names in queries:
        found = find(typed)
        for kind, slugs in expected(names):
            first = [hit.slug for hit in found.of(kind)][: len(slugs)]
            if set(first) != slugs:
                wrong.append(f"{typed}: {kind} {first} instead of {sorted(slugs)}, {found.way.name}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_one_character_in_common_is_a_suggestion_and_no_find(catalogue: None) -> None:
    found = find("丝爪")
    assert found.hits == ()
    assert found.near[0] == "丝瓜"
    assert set(find("榴莲").near) == {"莲藕", "莲花白"}
    assert find("钢筋混凝土").near == ()


# ---- The index keeps in step -----------------------------------------------------------------------------------------


def first_found(text: str) -> list[str]:
    return [hit.slug for hit in find(text).hits]


@pytest.mark.django_db(transaction=True)
def test_what_is_saved_is_found_and_what_is_deleted_is_not() -> None:
    product = produce.a_product()
    assert first_found("莴笋") == ["wosun"]
    product.name = "青菜头"
    product.save()
    assert first_found("莴笋") == []
    assert first_found("羊角菜") == ["wosun"]
    ProductTranslation.objects.create(product=product, language_code="en", name="Stem mustard")
    assert first_found("mustard") == ["wosun"]
    village = Village.objects.create(
        slug="hill", name="曾家垭村", name_en="Hill", summary="", map_x=1, map_y=1
    )
    Good.objects.get(product=product).delete()
    Good.objects.create(product=product, village=village)
    assert first_found("曾家垭") == ["hill", "wosun"]
    village.name = "高山村"
    village.save()
    assert first_found("高山") == ["hill", "wosun"]
    assert first_found("曾家垭") == []
    dish = Dish.objects.create(slug="rou", name="儿菜烧肉", name_en="Stew")
    Ingredient.objects.create(dish=dish, name="青菜头", name_en="Mustard", product=product, amount=1)
    assert first_found("儿菜烧肉") == ["rou", "wosun"]
    dish.delete()
    assert first_found("儿菜烧肉") == []
    category = product.category
    category.name = "山货"
    category.save()
    assert first_found("山货") == ["wosun"]
    product.delete()
    assert SearchEntry.objects.filter(kind="product").count() == 0


@pytest.mark.django_db(transaction=True)
def test_what_a_transaction_takes_back_is_not_found() -> None:
    product = produce.a_product()
    with transaction.atomic():
        product.name = "香椿"
        product.save()
        with transaction.atomic():
            produce.a_product(name="胡豆", slug="hudou")
            transaction.set_rollback(True)
        assert first_found("莴笋") == ["wosun"]
    assert first_found("香椿") == ["wosun"]
    assert first_found("胡豆") == []


@pytest.mark.django_db(transaction=True)
def test_the_nightly_task_finds_what_was_changed_past_django() -> None:
    product = produce.a_product()
    Product.objects.filter(pk=product.pk).update(name="香椿")
    assert first_found("香椿") == []
    index_search()
    assert first_found("香椿") == ["wosun"]
    assert index_all() == {"product": 0, "dish": 0, "village": 0, "cooperative": 0}


def test_a_shop_that_had_goods_before_it_had_an_index_gets_one_with_the_migration() -> None:
    produce.a_product()
    call_command("migrate", "catalogue", verbosity=0)
    assert first_found("莴笋") == ["wosun"]


def test_the_lowest_price_per_500_g_is_kept_beside_the_name() -> None:
    product = produce.a_product(packs={500: "4.00", 2500: "15.00"})
    index_all()
    assert SearchEntry.objects.get(product=product).price_per_500g == Decimal("3.00")


def test_goods_that_are_there_and_in_season_come_before_their_like(monkeypatch: pytest.MonkeyPatch) -> None:
    cooperative = produce.a_cooperative()
    monkeypatch.setattr(timezone, "localdate", lambda *_args: date(2026, 11, 23))
    for number, (slug, on_hand, months) in enumerate(
        [("gone", 0, [11]), ("there", 9_000, [6]), ("there-in-season", 9_000, [11]), ("all-gone", 0, [6])]
    ):
        product = produce.a_product(name=f"菜薹{number}", slug=slug)
        Good.objects.filter(product=product).update(season_months=months)
        produce.a_supply(cooperative=cooperative, product=product, on_hand=on_hand, code=f"XY-{number}")
    index_all()
    assert first_found("菜薹") == ["there-in-season", "there", "gone", "all-gone"]


# ---- Sounds, slips and words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pinyin", "spoken"),
    [
        ("折耳根", "zhé'ěrgēn", "zhe er gen"),
        ("芋儿", "yù'ér", "yu er"),
        ("干花椒", "gān huājiāo", "gan hua jiao"),
        ("绿豆", "lǜdòu", "lv dou"),
        ("莴笋", "not its pinyin", ""),
    ],
)
def test_a_name_is_read_as_it_is_written_beside_it(name: str, pinyin: str, spoken: str) -> None:
    assert " ".join(readings.syllables_as_written(name, pinyin)) == spoken


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("曾家垭村", "zeng jia ya cun"),
        ("仔姜", "zi jiang"),
        ("长豇豆", "chang jiang dou"),
        ("番茄", "fan qie"),
    ],
)
def test_names_are_read_as_this_town_reads_them(name: str, spoken: str) -> None:
    assert " ".join(readings.syllables(name)) == spoken


def test_the_demo_goods_are_read_as_their_pinyin_says() -> None:
    rows = [row for row in read_rows("goods") if row["pinyin"]]
    assert len(rows) == 60
    assert [
        row["name"] for row in rows if not readings.syllables_as_written(row["name"], row["pinyin"])
    ] == []


@given(word=st.text("abcd", min_size=1, max_size=6), other=st.text("abcd", min_size=1, max_size=6))
def test_two_words_a_slip_apart_share_a_word_with_one_letter_left_out(word: str, other: str) -> None:
    assert readings.is_slip(word, other) == (edits(word, other) <= 1)
    if readings.is_slip(word, other):
        assert readings.with_one_left_out(word) & readings.with_one_left_out(other)


def edits(one: str, other: str) -> int:
    """Letters to add, to take, to change, or neighbours to swap: by the book."""
    table = {(-1, -1): 0}
    for i in range(-1, len(one)):
        for j in range(-1, len(other)):
            if (i, j) == (-1, -1):
                continue
            ways = []
            if i >= 0:
                ways.append(table[i - 1, j] + 1)
            if j >= 0:
                ways.append(table[i, j - 1] + 1)
            if i >= 0 and j >= 0:
                ways.append(table[i - 1, j - 1] + (one[i] != other[j]))
            if i >= 1 and j >= 1 and one[i] == other[j - 1] and one[i - 1] == other[j]:
                ways.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(ways)
    return table[len(one) - 1, len(other) - 1]


@given(text=st.text(max_size=80))
def test_any_text_at_all_can_be_taken_apart(text: str) -> None:
    phrase = read_phrase(text)
    for question in (phrase.literal(), phrase.heard(), phrase.loose()):
        assert question is None or question.operands > 0
    lexemes = Lexemes()
    add_names(lexemes, name=text, name_en=text, pinyin=text)
    assert all(len(lexeme) <= 40 for lexeme in lexemes.weights)
