"""Every component on one page, for whoever changes them; drawn of made-up things, so it asks the API nothing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from storefront_theme.shop.rich_text import Block
from storefront_theme.shop.shelf import Goods, Pack, Source
from storefront_theme.templatetags.shop import SHANGHAI
from storefront_theme.town.board import MAP_HEIGHT, MAP_WIDTH, draw_map

_COUNTED = datetime(2026, 11, 24, 6, 10, tzinfo=SHANGHAI)


class SampleForm(forms.Form):
    """A field that is right and one that is not."""

    name = forms.CharField(label=gettext_lazy("Name"), required=False)
    phone = forms.CharField(label=gettext_lazy("Mobile number"), required=False)

    def clean_phone(self) -> str:
        raise forms.ValidationError(_("That is not a mobile number: eleven digits, beginning with 1."))


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """A page of the demo and of development; production has none."""
    return render(
        request,
        "shop/styleguide.html",
        {
            "goods": [
                _goods("suanmiao", "蒜苗", left=40, months=(10, 11, 12, 1, 2, 3)),
                _goods("wosun", "莴笋", left=3, months=()),
                _goods("chunsun", "春笋", left=0, months=(3, 4)),
            ],
            "form": SampleForm({"name": "李婶", "phone": "138"}),
            "months": [
                {"number": number, "inside": number > 9 or number < 4, "now": number == 11}
                for number in range(1, 13)
            ],
            "trail": [(_("All goods"), reverse("shop:categories"))],
            "places": draw_map(
                villages=[
                    {"slug": "here", "name": "甲村", "mapX": 300, "mapY": 300, "isPark": False},
                    {"slug": "park", "name": "园区", "mapX": 700, "mapY": 600, "isPark": True},
                ],
                weights=None,
            ),
            "map_width": MAP_WIDTH,
            "map_height": MAP_HEIGHT,
            "lot": {
                "traceCode": "0123456789abcde",
                "productName": "蒜苗",
                "code": "BM-1124",
                "cooperative": {"name": "白马蔬菜专业合作社"},
            },
            "voucher": {"code": "XINYI5", "name": "", "discount": {"amount": Decimal(5)}, "problem": ""},
            "grouped": "01234 56789 abcde",
            "blocks": [
                Block("heading", ("蒜苗怎么挑",)),
                Block("paragraph", ("叶子挺、蒜白粗的好。",)),
                Block("list", ("炒腊肉", "回锅肉")),
                Block("quote", ("立冬蒜，当肉吃。",)),
            ],
        },
    )


def _goods(slug: str, name: str, *, left: int, months: tuple[int, ...]) -> Goods:
    packs = tuple(
        Pack(
            id=f"{slug}-{grams}",
            name=f"{grams} g",
            sku=f"{slug}-{grams}",
            price=Decimal(price),
            per_500g=Decimal(price) * 500 / grams,
            net_weight_g=grams,
            left=left // (grams // 500),
        )
        for grams, price in ((500, "6.40"), (1000, "12.00"))
    )
    return Goods(
        slug=slug,
        name=name,
        picture="",
        picture_alt="",
        picture_small="",
        packs=packs,
        sources=(Source(slug="baima", name="白马蔬菜专业合作社", counted_at=_COUNTED, lot=None),),
        season_months=months,
        in_season=bool(months),
        is_demo=True,
    )
