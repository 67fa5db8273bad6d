"""A shop with many goods, for tests and benches that ask whether size matters: made by a handful of INSERTs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone
from measurement.measures import Weight
from saleor.account.models import User
from saleor.checkout.models import Checkout, CheckoutLine
from saleor.menu.models import Menu, MenuItem, MenuItemTranslation
from saleor.order.models import Order, OrderLine
from saleor.page.models import Page, PageTranslation
from saleor.product.models import (
    AssignedProductAttribute,
    Attribute,
    AttributeProduct,
    AttributeTranslation,
    AttributeValue,
    AttributeValueTranslation,
    Category,
    CategoryTranslation,
    Collection,
    CollectionProduct,
    CollectionTranslation,
    Product,
    ProductImage,
    ProductTranslation,
    ProductType,
    ProductVariant,
    ProductVariantTranslation,
)
from saleor.warehouse.models import Stock

from backend.catalogue.models import Dish, Good, Ingredient
from backend.cooperatives.models import Cooperative, Village
from backend.ordering.models import Placement
from backend.stock.models import Movement, Pack, Supply
from tests import produce

ENGLISH = "en"
PACKS_G = (500, 2_500)
ON_HAND_G = 90_000
BATCH = 5_000


@dataclass
class Market:
    """cooperatives supply the goods in turn; categories, collections and dishes hold them in turn."""

    cooperatives: list[Cooperative]
    categories: list[Category]
    collections: list[Collection]
    product_type: ProductType
    goods: int = 0


def a_market(*, categories: int = 8, cooperatives: int = 3, collections: int = 3) -> Market:
    """Shelves, sheds and a delivery; nothing on them yet."""
    produce.a_delivery()
    attribute = Attribute.objects.create(slug="taste", name="口味")
    AttributeTranslation.objects.create(attribute=attribute, language_code=ENGLISH, name="Taste")
    for slug in ("sweet", "bitter"):
        value = AttributeValue.objects.create(attribute=attribute, name=slug, slug=slug)
        AttributeValueTranslation.objects.create(attribute_value=value, language_code=ENGLISH, name=slug)
    product_type = ProductType.objects.create(name="农产品", slug="market", has_variants=True)
    AttributeProduct.objects.create(attribute=attribute, product_type=product_type)
    market = Market(
        cooperatives=[
            produce.a_cooperative(slug=f"shed-{number}", name=f"合作社 {number}")
            for number in range(cooperatives)
        ],
        categories=[
            Category.objects.create(name=f"类 {number}", slug=f"shelf-{number}")
            for number in range(categories)
        ],
        collections=[
            Collection.objects.create(name=f"集 {number}", slug=f"set-{number}", is_published=True)
            for number in range(collections)
        ],
        product_type=product_type,
    )
    CategoryTranslation.objects.bulk_create(
        CategoryTranslation(category=each, language_code=ENGLISH, name=each.slug)
        for each in market.categories
    )
    CollectionTranslation.objects.bulk_create(
        CollectionTranslation(collection=each, language_code=ENGLISH, name=each.slug)
        for each in market.collections
    )
    return market


def add_goods(market: Market, *, goods: int, dishes: int = 0) -> list[Product]:
    """That many more published goods: two packs, a picture, a taste, English names, counted in one shed each.

    dishes: that many more, which take five of these goods each.
    """
    now = timezone.now()
    first = market.goods
    numbers = range(first, first + goods)
    villages = list(Village.objects.order_by("pk"))
    products = Product.objects.bulk_create(
        [
            Product(
                name=f"菜 {number}",
                slug=f"good-{number}",
                description=f"第 {number} 号菜",
                category=market.categories[number % len(market.categories)],
                product_type=market.product_type,
                price_amount=Decimal(4),
                minimal_variant_price_amount=Decimal(4),
                currency="CNY",
                is_published=True,
            )
            for number in numbers
        ],
        batch_size=BATCH,
    )
    ProductTranslation.objects.bulk_create(
        [
            ProductTranslation(product=product, language_code=ENGLISH, name=product.slug)
            for product in products
        ],
        batch_size=BATCH,
    )
    ProductImage.objects.bulk_create(
        [
            ProductImage(product=product, image=f"products/{product.slug}.png", sort_order=0, alt="")
            for product in products
        ],
        batch_size=BATCH,
    )
    Good.objects.bulk_create(
        [
            Good(product=product, village=villages[number % len(villages)])
            for number, product in zip(numbers, products, strict=True)
        ],
        batch_size=BATCH,
    )
    CollectionProduct.objects.bulk_create(
        [
            CollectionProduct(
                product=product, collection=market.collections[number % len(market.collections)]
            )
            for number, product in zip(numbers, products, strict=True)
        ],
        batch_size=BATCH,
    )
    _add_tastes(market, products)
    variants = ProductVariant.objects.bulk_create(
        [
            ProductVariant(
                product=product,
                sku=f"{product.slug}-{grams}",
                name=f"{grams} g",
                currency="CNY",
                price_override_amount=Decimal(grams) / 125,
                weight=Weight(g=grams),
            )
            for product in products
            for grams in PACKS_G
        ],
        batch_size=BATCH,
    )
    ProductVariantTranslation.objects.bulk_create(
        [
            ProductVariantTranslation(product_variant=variant, language_code=ENGLISH, name=variant.sku)
            for variant in variants
        ],
        batch_size=BATCH,
    )
    supplies = Supply.objects.bulk_create(
        [
            Supply(
                cooperative=market.cooperatives[number % len(market.cooperatives)],
                code=f"M-{number:05}",
                name=product.name,
                product=product,
                on_hand=ON_HAND_G,
                counted_at=now,
            )
            for number, product in zip(numbers, products, strict=True)
        ],
        batch_size=BATCH,
    )
    Movement.objects.bulk_create(
        [
            Movement(
                supply=supply,
                kind=Movement.Kind.COUNT,
                on_hand_delta=ON_HAND_G,
                on_hand_after=ON_HAND_G,
                allocated_after=0,
                happened_at=now,
                recorded_at=now,
            )
            for supply in supplies
        ],
        batch_size=BATCH,
    )
    packs = [
        Pack(supply=supply, variant=variant, units=grams)
        for supply, filled in zip(supplies, _pairs(variants), strict=True)
        for variant, grams in zip(filled, PACKS_G, strict=True)
    ]
    Pack.objects.bulk_create(packs, batch_size=BATCH)
    Stock.objects.bulk_create(
        [
            Stock(
                warehouse_id=pack.supply.cooperative.warehouse_id,
                product_variant=pack.variant,
                quantity=ON_HAND_G // pack.units,
            )
            for pack in packs
        ],
        batch_size=BATCH,
    )
    _add_dishes(products, first=first, dishes=dishes)
    market.goods += goods
    return products


def _pairs(variants: list[ProductVariant]) -> list[list[ProductVariant]]:
    size = len(PACKS_G)
    return [variants[at : at + size] for at in range(0, len(variants), size)]


def _add_tastes(market: Market, products: list[Product]) -> None:
    assignment = AttributeProduct.objects.get(product_type=market.product_type)
    values = list(assignment.attribute.values.order_by("pk"))
    assigned = AssignedProductAttribute.objects.bulk_create(
        (AssignedProductAttribute(product=product, assignment=assignment) for product in products),
        batch_size=BATCH,
    )
    through = AssignedProductAttribute.values.through
    through.objects.bulk_create(
        [
            through(assignedproductattribute_id=each.pk, attributevalue_id=values[at % len(values)].pk)
            for at, each in enumerate(assigned)
        ],
        batch_size=BATCH,
    )


def _add_dishes(products: list[Product], *, first: int, dishes: int) -> None:
    made = Dish.objects.bulk_create(
        Dish(slug=f"dish-{first}-{number}", name=f"菜式 {first} {number}", name_en=f"Dish {first} {number}")
        for number in range(dishes)
    )
    Ingredient.objects.bulk_create(
        Ingredient(
            dish=dish,
            name=f"料 {number}",
            name_en=f"Ingredient {number}",
            product=products[(at * 5 + number) % len(products)],
            amount=100,
            sort_order=number,
        )
        for at, dish in enumerate(made)
        for number in range(5)
    )


def a_basket_of(variants: list[ProductVariant], *, user: User | None = None) -> Checkout:
    """One pack of each, with an address in Mianyang."""
    address = produce.an_address()
    address.save()
    checkout = Checkout.objects.create(
        user=user,
        email="li@buyer.example",
        shipping_address=address,
        billing_address=address,
        currency="CNY",
        country="CN",
        quantity=len(variants),
    )
    CheckoutLine.objects.bulk_create(
        CheckoutLine(checkout=checkout, variant=variant, quantity=1) for variant in variants
    )
    return checkout


def orders_of(user: User, *, orders: int, variants: list[ProductVariant]) -> list[Order]:
    """That many orders of one pack of each."""
    address = produce.an_address()
    address.save()
    now = timezone.now()
    made = [
        Order.objects.create(
            user=user,
            user_email=user.email,
            billing_address=address,
            shipping_address=address,
            total_net_amount=7,
            total_gross_amount=7,
            currency="CNY",
        )
        for _number in range(orders)
    ]
    Placement.objects.bulk_create(
        Placement(
            order=order,
            idempotency_key=str(order.token),
            request_sha256="0" * 64,
            pays_on_collection=True,
            placed_at=now,
        )
        for order in made
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            variant=variant,
            product_name=variant.product.name,
            variant_name=variant.name,
            product_sku=variant.sku,
            quantity=1,
            unit_price_net_amount=7,
            unit_price_gross_amount=7,
            currency="CNY",
            is_shipping_required=True,
            tax_rate=0,
        )
        for order in made
        for variant in variants
    )
    for order in made:
        order.payments.create(gateway="pay_on_collection", total=7, currency="CNY")
        order.events.create(type="placed")
    return made


def a_menu(*, name: str, items: int, market: Market) -> Menu:
    """Items with two children each: a category, a collection, a page in turn."""
    menu = Menu.objects.create(name=name)
    pages = [
        Page.objects.create(slug=f"{name}-{number}", title=f"{name} {number}", is_published=True)
        for number in range(2)
    ]
    PageTranslation.objects.bulk_create(
        PageTranslation(page=page, language_code=ENGLISH, title=page.slug) for page in pages
    )
    linked = [
        {"category": market.categories[0]},
        {"collection": market.collections[0]},
        {"page": pages[0]},
        {"category": market.categories[1]},
        {"collection": market.collections[1]},
        {"page": pages[1]},
    ]
    made = []
    for number in range(items):
        item = MenuItem.objects.create(menu=menu, name=f"{number}", **linked[number % len(linked)])
        made += [item] + [
            MenuItem.objects.create(
                menu=menu, name=f"{number}.{child}", parent=item, **linked[(number + child) % len(linked)]
            )
            for child in (1, 2)
        ]
    MenuItemTranslation.objects.bulk_create(
        MenuItemTranslation(menu_item=item, language_code=ENGLISH, name=item.name) for item in made
    )
    return menu
