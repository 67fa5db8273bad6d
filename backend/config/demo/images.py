"""The goods' pictures in Saleor."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from saleor.product.models import Product, ProductImage

from backend.config.demo.files import FIXTURES
from backend.config.demo.pictures import FULL_SIZE, Drawing

DIRECTORY = FIXTURES / "pictures" / "goods"


def drawings(*, slugs: Iterable[str]) -> list[Drawing]:
    """What is to be drawn for these goods; one that nobody drew yet does without."""
    return [
        Drawing(svg=svg, targets=_targets(_image(slug)))
        for slug in slugs
        if (svg := DIRECTORY / f"{slug}.svg").exists()
    ]


def attach_pictures(*, products: dict[str, Product]) -> None:
    """Give each good that has no picture the one that was drawn for it."""
    with_picture = set(ProductImage.objects.values_list("product_id", flat=True))
    for slug, product in products.items():
        if product.pk not in with_picture and (DIRECTORY / f"{slug}.svg").exists():
            image = _image(slug)
            image.product, image.alt = product, product.name
            image.save()


def _image(slug: str) -> ProductImage:
    return ProductImage(image=f"products/{slug}.webp")


def _targets(image: ProductImage) -> tuple[tuple[int, Path], ...]:
    """The picture itself and each of Saleor's thumbnails, with the names that Saleor gives them."""
    media = Path(settings.MEDIA_ROOT)
    targets = [(FULL_SIZE, media / image.image.name)]
    for _key, rendition in settings.VERSATILEIMAGEFIELD_RENDITION_KEY_SETS["products"]:
        method, size = rendition.split("__")
        targets.append((int(size.split("x")[0]), media / getattr(image.image, method)[size].name))
    return tuple(targets)
