"""Rich text that staff save holds nothing that could run in somebody's browser, whatever it is a text of."""

from __future__ import annotations

import json
from typing import Any

import graphene
import pytest
from django.contrib.auth.models import Permission
from django.contrib.sites.models import Site
from saleor.account.models import User
from saleor.page.models import Page
from saleor.product.models import Collection

from backend.saleor_port import without
from backend.saleor_port.rich_text import draft, html, link
from tests.backend.saleor_port.small_shop import Ask, Shop

pytestmark = pytest.mark.django_db

EVIL = {
    "blocks": [
        {
            "key": "a",
            "text": "二荆条 <script>alert(1)</script>",
            "type": "unstyled",
            "depth": 0,
            "inlineStyleRanges": [
                {"offset": 0, "length": 3, "style": "BOLD"},
                {"offset": 0, "length": 3, "style": "background:url(javascript:1)"},
            ],
            "entityRanges": [{"offset": 0, "length": 3, "key": 0}, {"offset": 0, "length": 3, "key": 1}],
            "data": {"onclick": "alert(1)"},
        },
        {"key": "b", "text": "x", "type": "script", "data": {}},
        "no block",
    ],
    "entityMap": {
        "0": {
            "type": "LINK",
            "mutability": "MUTABLE",
            "data": {"url": " java\tscript:alert(1)", "onclick": "x"},
        },
        "1": {"type": "EMBED", "mutability": "MUTABLE", "data": {"html": "<iframe src=//evil.example>"}},
    },
    "onload": "alert(1)",
}
CLEAN = {
    "blocks": [
        {
            "key": "a",
            "text": "二荆条 <script>alert(1)</script>",
            "type": "unstyled",
            "depth": 0,
            "inlineStyleRanges": [{"offset": 0, "length": 3, "style": "BOLD"}],
            "entityRanges": [{"offset": 0, "length": 3, "key": 0}],
            "data": {},
        },
        {
            "key": "b",
            "text": "x",
            "type": "unstyled",
            "depth": 0,
            "inlineStyleRanges": [],
            "entityRanges": [],
            "data": {},
        },
    ],
    "entityMap": {"0": {"type": "LINK", "mutability": "MUTABLE", "data": {"url": "#invalid"}}},
}
EVIL_HTML = (
    '<p onclick="x">香 &amp; 辣</p><script>alert(1)</script><a href="javascript:alert(1)">这里</a><img src=x>'
)
CLEAN_HTML = '<p>香 &amp; 辣</p><a rel="noopener noreferrer">这里</a>'

TEXTS = {
    "productUpdate": ("Product", "description", "productErrors", ""),
    "categoryUpdate": ("Category", "description", "productErrors", ""),
    "collectionUpdate": ("Collection", "description", "productErrors", ""),
    "pageUpdate": ("Page", "content", "pageErrors", ""),
    "productTranslate": ("Product", "description", "translationErrors", ", languageCode: EN"),
    "categoryTranslate": ("Category", "description", "translationErrors", ", languageCode: EN"),
    "collectionTranslate": ("Collection", "description", "translationErrors", ", languageCode: EN"),
    "pageTranslate": ("Page", "content", "translationErrors", ", languageCode: EN"),
}


@pytest.fixture
def qian() -> User:
    """钱编辑, who writes the shop's texts."""
    qian = User.objects.create_user("qian@town.example", "password", is_staff=True)
    qian.user_permissions.set(
        Permission.objects.filter(
            codename__in=["manage_products", "manage_pages", "manage_translations", "manage_settings"]
        )
    )
    return qian


def save(shop: Shop, ask: Ask, qian: User, mutation: str) -> tuple[Any, str]:
    """Save both forms of the text by that mutation, and read them from the database."""
    kind, name, errors, language = TEXTS[mutation]
    thing: Any = {
        "Product": lambda: shop.good(1).product,
        "Category": lambda: shop.category,
        "Collection": lambda: Collection.objects.create(name="川菜", slug="sichuan"),
        "Page": lambda: Page.objects.create(title="关于", slug="about"),
    }[kind]()
    document = f"""
        mutation($id: ID!, $json: JSONString!, $html: String!) {{
          {mutation}(id: $id{language}, input: {{{name}Json: $json, {name}: $html}}) {{ {errors} {{ field message }} }} }}
    """
    answer = ask(
        document,
        user=qian,
        id=graphene.Node.to_global_id(kind, thing.pk),
        json=json.dumps(EVIL),
        html=EVIL_HTML,
    )
    assert answer.errors is None, answer.errors
    assert answer.data[mutation][errors] == []
    thing.refresh_from_db()
    saved = thing.translations.get() if language else thing
    return getattr(saved, f"{name}_json"), getattr(saved, name)


@pytest.mark.parametrize("mutation", TEXTS)
def test_saleor_keeps_what_could_run(shop: Shop, ask: Ask, qian: User, mutation: str) -> None:
    with without("clean_rich_text"):
        content, text = save(shop, ask, qian, mutation)

    assert "iframe" in json.dumps(content)
    assert "<script>" in text


@pytest.mark.parametrize("mutation", TEXTS)
def test_nothing_that_could_run_is_kept(shop: Shop, ask: Ask, qian: User, mutation: str) -> None:
    assert save(shop, ask, qian, mutation) == (CLEAN, CLEAN_HTML)


SHOP = """
mutation($text: String!) {
  shopSettingsUpdate(input: {headerText: $text, description: $text}) { shopErrors { field } }
  shopSettingsTranslate(languageCode: EN, input: {headerText: $text, description: $text}) {
    translationErrors { field } } }
"""


def test_the_shops_own_texts_are_text(shop: Shop, ask: Ask, qian: User) -> None:
    text = "<b>信义</b><script>alert(1)</script> 菜篮"
    settings = Site.objects.get_current().settings

    with without("clean_rich_text"):
        assert ask(SHOP, user=qian, text=text).errors is None
        settings.refresh_from_db()
        assert settings.description == text

    assert ask(SHOP, user=qian, text=text).errors is None
    settings.refresh_from_db()
    written = settings.translations.get()
    assert {settings.description, settings.header_text, written.description, written.header_text} == {
        "信义 菜篮"
    }


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", " JAVA\nSCRIPT:x", "data:text/html,x", "vbscript:x", "\x01javascript:x", None, 7],
)
def test_a_link_that_does_something_else_than_lead_somewhere_leads_nowhere(url: Any) -> None:
    assert link(url) == "#invalid"


@pytest.mark.parametrize(
    "url",
    [
        "https://信义.example/a?b=1#c",
        "/products/1",
        "#top",
        "mailto:li@buyer.example",
        "tel:110",
        "a:b/c"[2:],
    ],
)
def test_a_link_that_leads_somewhere_stays(url: str) -> None:
    assert link(url) == url


@pytest.mark.parametrize("text", ["", "3 < 5 & 7 > 6", "香辣\n\n二荆条", "a <- b"])
def test_text_without_markup_stays_as_it_was_typed(text: str) -> None:
    assert html(text) == text


def test_clean_content_stays_as_it_is() -> None:
    assert draft(CLEAN) == CLEAN
    # To the letter: clients compare the text that they sent, and an editor may name a range's key first.
    spans = {
        "entityRanges": [{"key": 0, "length": 4, "offset": 0}],
        "inlineStyleRanges": [{"style": "BOLD", "length": 1, "offset": 0}],
    }
    sent = {"blocks": [{**CLEAN["blocks"][0], **spans}], "entityMap": CLEAN["entityMap"]}
    assert json.dumps(draft(sent)) == json.dumps(sent)
    assert draft({}) == {}
    assert draft({"content": "text", "url": "javascript:x"}) == {"content": "text", "url": "#invalid"}
