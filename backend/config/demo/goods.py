"""Categories, goods, their packs, and the dishes that take them."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from measurement.measures import Weight
from saleor.product.models import (
    Category,
    CategoryTranslation,
    Collection,
    CollectionProduct,
    CollectionTranslation,
    Product,
    ProductTranslation,
    ProductType,
    ProductVariant,
    ProductVariantTranslation,
)

from backend.catalogue.models import Dish, FoodLabel, Good, Ingredient
from backend.common.draft import draft_js
from backend.config.demo.files import read_json, read_rows
from backend.config.demo.records import ENGLISH, ensure
from backend.cooperatives.models import Village

DEMO_METADATA = {"demo": "true"}
TOWN = "四川省绵阳市游仙区信义镇"
TOWN_EN = "Xinyi town, Youxian district, Mianyang, Sichuan"


def load_categories() -> dict[str, Category]:
    """The categories by slug, in the order of the file."""
    categories = {}
    for row in read_rows("categories"):
        category = ensure(
            Category,
            slug=row["slug"],
            values={
                "name": row["name"],
                "description": row["description"],
                "description_json": draft_js(row["description"]),
                "seo_title": row["name"],
                "seo_description": row["description"],
                "metadata": DEMO_METADATA,
            },
        )
        ensure(
            CategoryTranslation,
            category=category,
            language_code=ENGLISH,
            values={
                "name": row["name_en"],
                "description": row["description_en"],
                "description_json": draft_js(row["description_en"]),
                "seo_title": row["name_en"],
                "seo_description": row["description_en"],
            },
        )
        categories[row["slug"]] = category
    return categories


def load_goods(*, categories: dict[str, Category], villages: dict[str, Village]) -> dict[str, Product]:
    """The goods by slug, with their packs."""
    types = {
        row["slug"]: ensure(
            ProductType,
            slug=row["slug"],
            values={"name": row["name"], "has_variants": True, "is_shipping_required": True},
        )
        for row in read_json("shop")["product_types"]
    }
    texts = read_json("texts/goods")
    packs: dict[str, list[dict[str, str]]] = {}
    for row in read_rows("packs"):
        packs.setdefault(row["good"], []).append(row)
    products = {}
    for row in read_rows("goods"):
        prices = [Decimal(pack["price_cny"]) for pack in packs[row["slug"]]]
        product = _load_product(
            row=row,
            text=texts[row["slug"]],
            prices=prices,
            product_type=types["packaged" if row["is_returnable"] == "yes" else "fresh"],
            category=categories[row["category"]],
        )
        village = villages.get(row["village"])
        ensure(
            Good,
            product=product,
            values={
                "pinyin": row["pinyin"],
                "season_months": [int(month) for month in row["season_months"].split()],
                "storage": row["storage"],
                "shelf_life_days": int(row["shelf_life_days"]) if row["shelf_life_days"] else None,
                "origin": f"{TOWN}{village.name}" if village else TOWN,
                "origin_en": f"{village.name_en}, {TOWN_EN}" if village else TOWN_EN,
                "village": village,
                "is_returnable": row["is_returnable"] == "yes",
                "is_demo": True,
            },
        )
        for pack in packs[row["slug"]]:
            _load_variant(pack=pack, product=product)
        products[row["slug"]] = product
    for facts in read_json("food_labels"):
        told = {name: value for name, value in facts.items() if name != "good"}
        ensure(
            FoodLabel,
            good=Good.objects.get(product=products[facts["good"]]),
            values={**told, "is_demo": True},
        )
    return products


def _load_product(
    *,
    row: dict[str, str],
    text: dict[str, str],
    prices: list[Decimal],
    product_type: ProductType,
    category: Category,
) -> Product:
    product = ensure(
        Product,
        slug=row["slug"],
        values={
            "name": row["name"],
            "product_type": product_type,
            "category": category,
            "description": text["zh"],
            "description_json": draft_js(text["zh"]),
            "seo_title": row["name"],
            "seo_description": text["zh"],
            "currency": settings.DEFAULT_CURRENCY,
            "price_amount": prices[0],
            "minimal_variant_price_amount": min(prices),
            # Prices include whatever tax there is.
            "charge_taxes": False,
            "is_published": True,
            "metadata": DEMO_METADATA,
        },
    )
    ensure(
        ProductTranslation,
        product=product,
        language_code=ENGLISH,
        values={
            "name": row["name_en"],
            "description": text["en"],
            "description_json": draft_js(text["en"]),
            "seo_title": row["name_en"],
            "seo_description": text["en"],
        },
    )
    return product


def _load_variant(*, pack: dict[str, str], product: Product) -> None:
    variant = ensure(
        ProductVariant,
        sku=pack["sku"],
        values={
            "product": product,
            "name": pack["name"],
            "currency": settings.DEFAULT_CURRENCY,
            "price_override_amount": Decimal(pack["price_cny"]),
            # Without a weight there is no price per 500 g: what is sold by the piece.
            "weight": Weight(g=int(pack["net_weight_g"])) if pack["net_weight_g"] else None,
            "track_inventory": True,
            "metadata": DEMO_METADATA,
        },
    )
    ensure(
        ProductVariantTranslation,
        product_variant=variant,
        language_code=ENGLISH,
        values={"name": pack["name_en"]},
    )


def load_collection(*, products: dict[str, Product]) -> Collection:
    """The one collection of the demo shop."""
    facts = read_json("shop")["collection"]
    collection = ensure(
        Collection,
        slug=facts["slug"],
        values={
            "name": facts["name"],
            "description": facts["description"],
            "description_json": draft_js(facts["description"]),
            "is_published": True,
            "metadata": DEMO_METADATA,
        },
    )
    ensure(
        CollectionTranslation,
        collection=collection,
        language_code=ENGLISH,
        values={
            "name": facts["name_en"],
            "description": facts["description_en"],
            "description_json": draft_js(facts["description_en"]),
        },
    )
    for order, slug in enumerate(facts["goods"]):
        member = ensure(CollectionProduct, collection=collection, product=products[slug])
        # Saleor numbers it among the product's collections; the order wanted is that within the collection.
        if member.sort_order != order:
            CollectionProduct.objects.filter(pk=member.pk).update(sort_order=order)
    return collection


def load_dishes(*, products: dict[str, Product]) -> None:
    """The dishes with their ingredients, in the order of the files."""
    dishes = {}
    for order, row in enumerate(read_rows("dishes")):
        dishes[row["slug"]] = ensure(
            Dish,
            slug=row["slug"],
            values={
                "name": row["name"],
                "name_en": row["name_en"],
                "serves": int(row["serves"]),
                "summary": row["summary"],
                "summary_en": row["summary_en"],
                "sort_order": order,
            },
        )
    for order, row in enumerate(read_rows("ingredients")):
        dish = dishes[row["dish"]]
        if dish.ingredients.filter(name=row["name"]).exists():
            continue
        ingredient = Ingredient.objects.create(
            dish=dish,
            name=row["name"],
            name_en=row["name_en"],
            product=products[row["good"]] if row["good"] else None,
            amount=int(row["amount"]),
            unit=row["unit"],
            sort_order=order,
        )
        ingredient.alternatives.set(products[slug] for slug in row["alternatives"].split())
