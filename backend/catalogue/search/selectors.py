"""Asks the index. Each way of looking is tried only when the stricter ones before it found nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from saleor.product.models import Product

from backend.catalogue.search.models import SearchEntry
from backend.catalogue.search.words import FAINT, Phrase, Question, nearest_name, read_phrase
from backend.common.language import is_english
from backend.stock.models import Supply

MOST_RANKED = 400
"""So many of each kind are put in order; whoever looks for more has typed too little."""
MOST_WEIGHED = 2_000
"""So many matches are weighed, so that one letter costs no more in a large catalogue than in a small one."""
MOST_OF_A_PHRASE = 1_000
MOST_SLIPS = 200
LEAST_SHARE = 0.5
MOST_NEAR = 5
IN_STOCK, IN_SEASON = 0.05, 0.03
# D, C, B, A: what words.py gives its lexemes.
_WEIGHTS = "{0.05, 0.2, 0.4, 1.0}"


class Way(IntEnum):
    """How what was found was found."""

    AS_TYPED = 0
    BY_EAR = 1
    BY_SLIP = 2
    IN_PART = 3


@dataclass(frozen=True)
class Hit:
    """An entry that was found. score: the higher the nearer; comparable within one answer only."""

    kind: str
    subject: int
    slug: str
    title: str
    title_en: str
    names: tuple[str, ...]
    score: float
    also: str | None = None


@dataclass(frozen=True)
class Found:
    """hits: best first, goods that can be bought now before their like; nothing unpublished is among them."""

    phrase: Phrase
    way: Way
    hits: tuple[Hit, ...] = ()
    near: tuple[str, ...] = field(default=())

    def of(self, kind: str) -> list[Hit]:
        """The hits of one kind."""
        return [hit for hit in self.hits if hit.kind == kind]

    @property
    def corrected(self) -> str | None:
        """The name that was looked for in place of what was typed; None where that was found as it stands."""
        return self.near[0] if self.near and self.way in (Way.BY_EAR, Way.BY_SLIP) else None


def find(text: str) -> Found:
    """What a visitor may see of what this names: goods, dishes, villages and cooperatives."""
    phrase = read_phrase(text)
    if not phrase:
        return Found(phrase=phrase, way=Way.AS_TYPED)
    for way, question in ((Way.AS_TYPED, phrase.literal()), (Way.BY_EAR, phrase.heard())):
        hits = _visible(_matching(question)) if question else []
        if hits:
            if (
                way == Way.AS_TYPED
                and len(phrase.words) > 1
                and not any(hit.kind == "product" for hit in hits)
            ):
                hits = _with_goods_in_part(hits, phrase)
            near = _near(phrase, hits) if way == Way.BY_EAR else ()
            return Found(phrase=phrase, way=way, hits=tuple(hits), near=near)
    slips = _visible(_a_slip_away(phrase))
    if slips:
        return Found(phrase=phrase, way=Way.BY_SLIP, hits=tuple(slips), near=_near(phrase, slips))
    question = phrase.loose()
    alike = _visible(_in_part(phrase, _matching(question), least=FAINT)) if question else []
    parts = [hit for hit in alike if hit.score >= LEAST_SHARE]
    near = () if parts else tuple(dict.fromkeys(_called(hit) for hit in alike))[:MOST_NEAR]
    return Found(phrase=phrase, way=Way.IN_PART, hits=tuple(parts), near=near)


def suggest(text: str, *, limit: int) -> list[Hit]:
    """What somebody may be typing: `also` is the name by which it was found, where that is none of its titles."""
    found = find(text)
    return [replace(hit, also=_also(found.phrase, hit)) for hit in found.hits[:limit]]


def _also(phrase: Phrase, hit: Hit) -> str | None:
    typed = phrase.key_text
    if typed in hit.title or typed in hit.title_en.lower():
        return None
    by_name = next((name for name in hit.names[1:] if typed in name), None)
    if by_name is None and phrase.is_latin:
        distance, name = nearest_name(phrase, hit.names)
        by_name = name if distance <= 1 else None
    return by_name if by_name and by_name not in hit.title else None


def product_pks(text: str) -> list[int]:
    """The pks of the goods that this names, best first, at most MOST_OF_A_PHRASE; unpublished ones among them."""
    phrase = read_phrase(text)
    if not phrase:
        return []
    for question in (phrase.literal(), phrase.heard()):
        found = _matching(question, kinds=("product",), most=MOST_OF_A_PHRASE) if question else []
        if found:
            return [hit.subject for hit in found]
    question = phrase.loose()
    found = [hit for hit in _a_slip_away(phrase) if hit.kind == "product"]
    if not found and question:
        found = _in_part(phrase, _matching(question, kinds=("product",)))
    return [hit.subject for hit in found]


# ---- Ways of looking -------------------------------------------------------------------------------------------------

_TABLE = SearchEntry._meta.db_table
# search_entries_matching() and search_entries_a_slip_away(): migration 0004.
_MATCHING = f"""
    SELECT kind, subject, slug, title, title_en, names, score FROM (
        SELECT *, row_number() OVER (PARTITION BY kind ORDER BY score DESC, subject) AS place FROM (
            SELECT kind, coalesce(product_id, dish_id, village_id, cooperative_id) AS subject, slug, title, title_en,
                names, ts_rank(%(weights)s::float4[], lexemes, %(weigh)s::tsquery) * %(operands)s AS score
            FROM {_TABLE} WHERE id IN (
                SELECT search_entries_matching(
                    %(match)s::tsquery, %(exact)s::tsquery, %(kinds)s::text[], %(weighed)s))
        ) AS weighed
    ) AS placed WHERE place <= %(most)s ORDER BY score DESC, kind, subject
"""  # noqa: S608  (the table's own name)
_SLIPS = f"""
    SELECT kind, coalesce(product_id, dish_id, village_id, cooperative_id), slug, title, title_en, names, 0.0
    FROM {_TABLE} WHERE id IN (SELECT search_entries_a_slip_away(%(slips)s::varchar[], %(most)s))
"""  # noqa: S608  (the table's own name)


def _matching(
    question: Question, *, kinds: Sequence[str] = tuple(SearchEntry.Kind.values), most: int = MOST_RANKED
) -> list[Hit]:
    return _ask(
        _MATCHING,
        weights=_WEIGHTS,
        weigh=question.weigh,
        match=question.match,
        exact=question.exact,
        operands=question.operands,
        kinds=list(kinds),
        weighed=MOST_WEIGHED,
        most=most,
    )


def _a_slip_away(phrase: Phrase) -> list[Hit]:
    slips = phrase.slips()
    if not slips:
        return []
    found = []
    for hit in _ask(_SLIPS, slips=sorted(slips), most=MOST_SLIPS):
        distance, name = nearest_name(phrase, hit.names, english=hit.title_en)
        if distance <= 1:
            score = 1.0 - 0.5 * distance + (0.2 if name == hit.title else 0.0)
            found.append(_scored(hit, score))
    return sorted(found, key=lambda hit: (-hit.score, hit.kind, hit.subject))


def _in_part(phrase: Phrase, hits: Sequence[Hit], *, least: float = LEAST_SHARE) -> list[Hit]:
    found = []
    for hit in hits:
        share = phrase.share((*hit.names, hit.title_en))
        if share >= least:
            found.append(_scored(hit, share + min(hit.score, 1.0) / 100))
    return sorted(found, key=lambda hit: (-hit.score, hit.kind, hit.subject))


def _with_goods_in_part(hits: list[Hit], phrase: Phrase) -> list[Hit]:
    """番茄 鸡蛋 is a dish; whoever typed it also wants to see the tomatoes and the eggs."""
    question = phrase.loose()
    if question is None:
        return hits
    goods = _in_part(phrase, _matching(question, kinds=("product",)))
    return hits + _visible(goods)


def _ask(statement: str, **parameters: Any) -> list[Hit]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [
            Hit(
                kind=kind,
                subject=subject,
                slug=slug,
                title=title,
                title_en=title_en,
                names=tuple(names),
                score=float(score),
            )
            for kind, subject, slug, title, title_en, names, score in cursor.fetchall()
        ]


def _scored(hit: Hit, score: float) -> Hit:
    return replace(hit, score=score)


# ---- What may be seen, and what comes first ----------------------------------------------------------------------------


def in_stock(product: str = "pk") -> Exists:
    """Whether some cooperative has free units of the product that the outer query's field names."""
    return Exists(
        Supply.objects.filter(
            product=OuterRef(product), is_active=True, cooperative__is_active=True, on_hand__gt=F("allocated")
        )
    )


def in_season_now(prefix: str = "good__") -> Q:
    """In season this month; what is in season all the year is not."""
    return Q(**{f"{prefix}season_months__contains": [timezone.localdate().month]})


def _visible(hits: Sequence[Hit]) -> list[Hit]:
    """Without what is not published or not active; goods that can be bought, and those in season, a little before."""
    pks = [hit.subject for hit in hits if hit.kind == "product"]
    boosts: dict[int, float] = {}
    if pks:
        rows = (
            Product.objects.published()
            .filter(pk__in=pks)
            .annotate(is_there=in_stock())
            .values_list("pk", "is_there", "good__season_months")
        )
        month = timezone.localdate().month
        for pk, is_there, months in rows:
            boosts[pk] = IN_STOCK * is_there + IN_SEASON * (month in (months or ()))
    closed = _closed([hit.subject for hit in hits if hit.kind == "cooperative"])
    seen = [
        _scored(hit, hit.score + boosts.get(hit.subject, 0.0)) if hit.kind == "product" else hit
        for hit in hits
        if (hit.subject in boosts if hit.kind == "product" else True)
        and not (hit.kind == "cooperative" and hit.subject in closed)
    ]
    return sorted(seen, key=lambda hit: (-round(hit.score, 4), hit.kind != "product", hit.subject))


def _closed(pks: Sequence[int]) -> set[int]:
    from backend.cooperatives.models import Cooperative

    return (
        set(Cooperative.objects.filter(pk__in=pks, is_active=False).values_list("pk", flat=True))
        if pks
        else set()
    )


# ---- What was meant --------------------------------------------------------------------------------------------------


def _near(phrase: Phrase, hits: Sequence[Hit]) -> tuple[str, ...]:
    """The names that were probably meant, the likeliest first, at most five."""
    names: dict[str, None] = {}
    for hit in hits[:20]:
        distance, name = nearest_name(phrase, hit.names, english=hit.title_en)
        if distance <= 1:
            if is_english() and name in hit.names and name == hit.title:
                name = hit.title_en or name
            names[name] = None
    return tuple(names)[:MOST_NEAR]


def _called(hit: Hit) -> str:
    return (hit.title_en if is_english() else "") or hit.title
