"""The Chinese catalogue."""

import re
from pathlib import Path

from babel.messages.pofile import read_po

import storefront_theme

CATALOGUE = Path(storefront_theme.__file__).parent / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
_PLACEHOLDER = re.compile(r"%\(\w+\)s")


def test_every_text_has_its_chinese() -> None:
    with CATALOGUE.open("rb") as text:
        catalogue = read_po(text, locale="zh_Hans")
    found = [message for message in catalogue if message.id]
    assert len(found) > 300
    assert [message.id for message in found if message.fuzzy or not _strings(message.string)] == []


def test_a_translation_names_no_figure_that_its_original_has_not() -> None:
    with CATALOGUE.open("rb") as text:
        catalogue = read_po(text, locale="zh_Hans")
    for message in catalogue:
        known = set(_PLACEHOLDER.findall(" ".join(_strings(message.id))))
        assert set(_PLACEHOLDER.findall(" ".join(_strings(message.string)))) <= known, message.id


def _strings(value: str | tuple[str, ...] | list[str]) -> list[str]:
    return [one for one in ([value] if isinstance(value, str) else value) if one]
