"""settings.SEARCH_BACKEND: what Saleor's `products(filter: {search})` asks."""

from django.db.models import QuerySet
from saleor.product.models import Product

from backend.catalogue.search.selectors import product_pks


def search_storefront(phrase: str) -> QuerySet[Product]:
    """The goods that a phrase names. Saleor itself leaves out what the asker may not see, and puts them in order."""
    return Product.objects.filter(pk__in=product_pks(phrase))
