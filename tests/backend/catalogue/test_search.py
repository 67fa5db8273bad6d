"""What people type, and what they meant."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.catalogue.search.selectors import find
from backend.catalogue.search.services import index_all
from backend.config.demo import goods, places

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
