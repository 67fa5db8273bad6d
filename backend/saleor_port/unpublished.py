"""What is not published is not there, by whatever it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend.saleor_port.registry import Replace, patch


@patch(
    name="unpublished_by_slug",
    reason="product and collection hide what is not published from an id, and show it to a slug",
)
def unpublished_by_slug() -> Iterator[Replace]:
    from saleor.graphql.product.schema import ProductQueries
    from saleor.product.models import Collection, Product

    for name, model in (("resolve_product", Product), ("resolve_collection", Collection)):
        yield Replace(ProductQueries, name, _of_visible(getattr(ProductQueries, name), model))


@patch(
    name="translations_permission",
    reason="translations lists the texts of vouchers, sales and shipping methods to anybody; translation does not",
)
def translations_permission() -> Iterator[Replace]:
    from saleor.core.permissions import SitePermissions
    from saleor.graphql.decorators import permission_required
    from saleor.graphql.translations.schema import TranslationQueries

    guard = permission_required(SitePermissions.MANAGE_TRANSLATIONS)
    yield Replace(TranslationQueries, "resolve_translations", guard(TranslationQueries.resolve_translations))


def _of_visible(plain: Any, model: Any) -> Any:
    from saleor.graphql.utils import get_user_or_app_from_context

    def resolve(root: Any, info: Any, id: str | None = None, slug: str | None = None) -> Any:
        found = plain(root, info, id=id, slug=slug)
        if found is None or not slug:
            return found
        asking = get_user_or_app_from_context(info.context)
        return model.objects.visible_to_user(asking).filter(pk=found.pk).first()

    return resolve
