"""Keeps the index in step: what changed is written anew after the commit that changed it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from saleor.product.models import Category, CategoryTranslation, Product, ProductTranslation, ProductVariant

from backend.catalogue.models import Dish, Good, Ingredient
from backend.catalogue.search import readings, words
from backend.catalogue.search.models import SUBJECTS, SearchEntry
from backend.catalogue.unit_price import price_per_500g
from backend.cooperatives.models import Cooperative, Village

AT_ONCE = 500
ENGLISH = "en"
# pg_advisory_xact_lock: whoever writes the index reads its sources behind this, so that of two who write the same
# thing the later one has seen what the earlier one saw.
_LOCK = 0x5EA4C4


@dataclass(frozen=True)
class Entry:
    """One row to be written; `subject` is the pk of what it stands for."""

    kind: str
    subject: int
    slug: str
    title: str
    title_en: str
    names: Sequence[str]
    spoken: str
    price_per_500g: Decimal | None
    lexemes: str
    slips: Collection[str]


@dataclass
class Changed:
    """The pks of what is to be indexed anew, by kind."""

    pks: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add(self, kind: str, pk: int | None) -> None:
        if pk is not None:
            self.pks[kind].add(pk)


def index_all() -> dict[str, int]:
    """Write the whole index anew; gives how many rows of each kind had changed."""
    written = {}
    for kind, model in _MODELS.items():
        written[kind] = 0
        pks = list(model._default_manager.order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(pks), AT_ONCE):
            written[kind] += index_some(kind=kind, pks=pks[start : start + AT_ONCE])
    return written


def index_some(*, kind: str, pks: Collection[int]) -> int:
    """Write the entries of these anew; gives how many differed from what was there. What is gone went with its row."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        entries = list(_ENTRIES[kind](pks))
        return _write(kind=kind, entries=entries) if entries else 0


# ---- On commit -------------------------------------------------------------------------------------------------------


def index_on_commit(*, kind: str, pk: int | None) -> None:
    """Index one thing once the transaction is committed; several changes of one transaction are indexed together."""
    waiting = _waiting()
    waiting.add(kind, pk)
    # One call each, since a savepoint that is rolled back takes its own calls along; the first to run does it all.
    transaction.on_commit(_index_waiting, robust=True)


def _waiting() -> Changed:
    waiting: Changed = vars(transaction.get_connection()).setdefault("search_waiting", Changed())
    return waiting


def _index_waiting() -> None:
    waiting = _waiting()
    pks, waiting.pks = waiting.pks, defaultdict(set)
    for kind in SUBJECTS:
        some = sorted(pks.get(kind, ()))
        for start in range(0, len(some), AT_ONCE):
            index_some(kind=kind, pks=some[start : start + AT_ONCE])


def changed_with(instance: Model) -> Iterator[tuple[str, int | None]]:
    """(kind, pk) of all that is found by what this row says."""
    match instance:
        case Product():
            yield "product", instance.pk
        case ProductTranslation() | ProductVariant() | Good():
            yield "product", instance.product_id
        case Dish():
            yield "dish", instance.pk
            for pk in instance.ingredients.values_list("product_id", flat=True):
                yield "product", pk
        case Ingredient():
            yield "dish", instance.dish_id
            yield "product", instance.product_id
        case Village():
            yield "village", instance.pk
            for pk in instance.goods.values_list("product_id", flat=True):
                yield "product", pk
        case Cooperative():
            yield "cooperative", instance.pk
        case Category():
            yield from _of_category(instance.pk)
        case CategoryTranslation():
            yield from _of_category(instance.category_id)


def _of_category(pk: int) -> Iterator[tuple[str, int]]:
    for product_pk in Product.objects.filter(category_id=pk).values_list("pk", flat=True):
        yield "product", product_pk


# ---- What is found by what -------------------------------------------------------------------------------------------


def _entry(
    *,
    kind: str,
    subject: Any,
    lexemes: words.Lexemes,
    names: Sequence[str],
    title: str,
    title_en: str,
    pinyin: str = "",
    price: Decimal | None = None,
) -> Entry:
    spoken = readings.syllables_as_written(title, pinyin) or readings.syllables(words.normalised(title))
    return Entry(
        kind=kind,
        subject=subject.pk,
        slug=subject.slug,
        title=title,
        title_en=title_en,
        names=[name.replace("\n", " ") for name in names],
        spoken=" ".join(spoken)[:600],
        price_per_500g=price,
        lexemes=lexemes.as_vector(),
        slips=sorted(lexemes.slips),
    )


def _products(pks: Collection[int]) -> Iterator[Entry]:
    products = (
        Product.objects.filter(pk__in=pks)
        .select_related("category", "good__village")
        .prefetch_related("variants", "translations", "category__translations")
        .order_by("pk")
    )
    dishes: dict[int | None, dict[str, None]] = defaultdict(dict)
    cooked = Ingredient.objects.filter(product_id__in=pks).order_by("pk")
    for product_pk, dish in cooked.values_list("product_id", "dish__name"):
        dishes[product_pk][dish] = None
    for product in products:
        good = getattr(product, "good", None)
        title_en = _english(product)
        pinyin = good.pinyin if good else ""
        lexemes = words.Lexemes()
        names = words.add_names(lexemes, name=product.name, name_en=title_en, pinyin=pinyin)
        variants = list(product.variants.all())
        for variant in variants:
            lexemes.add_code(variant.sku)
        lexemes.add_code(product.slug)
        if product.category:
            _add_around(lexemes, product.category.name, _english(product.category))
        if good and good.village:
            _add_around(lexemes, good.village.name, good.village.name_en)
        for dish in dishes[product.pk]:
            lexemes.add_chinese(dish, whole="D")
        yield _entry(
            kind="product",
            subject=product,
            lexemes=lexemes,
            names=names,
            title=product.name,
            title_en=title_en,
            pinyin=pinyin,
            price=_lowest_per_500g(product, variants),
        )


def _lowest_per_500g(product: Product, variants: Sequence[ProductVariant]) -> Decimal | None:
    prices = [
        price_per_500g(
            price=variant.price_override if variant.price_override_amount is not None else product.price,
            net_weight_g=round(variant.weight.g) if variant.weight else None,
        )
        for variant in variants
    ]
    return min((price.amount for price in prices if price), default=None)


def _dishes(pks: Collection[int]) -> Iterator[Entry]:
    for dish in Dish.objects.filter(pk__in=pks).prefetch_related("ingredients").order_by("pk"):
        lexemes = words.Lexemes()
        names = words.add_names(lexemes, name=dish.name, name_en=dish.name_en)
        for ingredient in dish.ingredients.all():
            lexemes.add_chinese(ingredient.name, whole="C", pairs="D", sound="D")
            lexemes.add_english(ingredient.name_en, whole="D", words="D")
            for other in words.other_names(ingredient.name)[0]:
                lexemes.add_chinese(other, whole="D", pairs="D")
        yield _entry(
            kind="dish", subject=dish, lexemes=lexemes, names=names, title=dish.name, title_en=dish.name_en
        )


def _villages(pks: Collection[int]) -> Iterator[Entry]:
    for village in Village.objects.filter(pk__in=pks).order_by("pk"):
        yield _place("village", village)


def _cooperatives(pks: Collection[int]) -> Iterator[Entry]:
    for cooperative in Cooperative.objects.filter(pk__in=pks).select_related("village").order_by("pk"):
        yield _place("cooperative", cooperative, beside=cooperative.village)


def _place(kind: str, place: Village | Cooperative, *, beside: Village | None = None) -> Entry:
    lexemes = words.Lexemes()
    lexemes.add_chinese(place.name, whole="A", pairs="B", ones="D", sound="B")
    lexemes.add_english(place.name_en, whole="A", words="B")
    if beside:
        _add_around(lexemes, beside.name, beside.name_en)
    return _entry(
        kind=kind,
        subject=place,
        lexemes=lexemes,
        names=[place.name],
        title=place.name,
        title_en=place.name_en,
    )


def _add_around(lexemes: words.Lexemes, name: str, name_en: str) -> None:
    """What it lies among: found by it, after all that is called so itself."""
    lexemes.add_chinese(name, whole="D", pairs="D")
    lexemes.add_english(name_en, whole="D", words="D")


def _english(translated: Any) -> str:
    return next(
        (each.name for each in translated.translations.all() if each.language_code == ENGLISH and each.name),
        "",
    )


_MODELS: dict[str, type[Model]] = {
    "product": Product,
    "dish": Dish,
    "village": Village,
    "cooperative": Cooperative,
}
_ENTRIES = {"product": _products, "dish": _dishes, "village": _villages, "cooperative": _cooperatives}


# ---- Writing ---------------------------------------------------------------------------------------------------------

_COLUMNS = ("slug", "title", "title_en", "names", "spoken", "price_per_500g", "lexemes", "slips")


def _write(*, kind: str, entries: Sequence[Entry]) -> int:
    """Insert or update; a row that says the same already is left alone."""
    table = SearchEntry._meta.db_table
    mine = ", ".join(f"entry.{column}" for column in _COLUMNS)
    new = ", ".join(f"excluded.{column}" for column in _COLUMNS)
    # kind and the columns are this module's own words, never anybody's input.
    statement = f"""
        INSERT INTO {table} AS entry (kind, {kind}_id, {", ".join(_COLUMNS)})
        SELECT %s, subject, slug, title, title_en, string_to_array(names, E'\\n'), spoken, price, lexemes::tsvector,
            string_to_array(slips, ' ')
        FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::numeric[], %s::text[],
            %s::text[]) AS row (subject, slug, title, title_en, names, spoken, price, lexemes, slips)
        ON CONFLICT ({kind}_id) DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in _COLUMNS)}
        WHERE ({mine}) IS DISTINCT FROM ({new})
    """  # noqa: S608  (see above)
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [
                kind,
                [entry.subject for entry in entries],
                [entry.slug for entry in entries],
                [entry.title for entry in entries],
                [entry.title_en for entry in entries],
                ["\n".join(entry.names) for entry in entries],
                [entry.spoken for entry in entries],
                [entry.price_per_500g for entry in entries],
                [entry.lexemes for entry in entries],
                [" ".join(entry.slips) for entry in entries],
            ],
        )
        return cursor.rowcount
