"""Whatever a person may read is there in Chinese: every text that the sources mark, not only those in the catalogue."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

REPOSITORY = Path(__file__).resolve().parent.parent
FUNCTIONS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}


def marked_texts(room: Path) -> Iterator[tuple[str, str]]:
    """(where, text) of every message that a room's Python and templates mark."""
    for source in sorted(
        [*room.rglob("*.py"), *room.rglob("*.html"), *room.rglob("*.txt"), *room.rglob("*.email")]
    ):
        if source.suffix == ".py":
            content = source.read_bytes()
        else:
            # What stands around the tags becomes X and B, and its indentation is not Python's.
            lines = templatize(source.read_text(encoding="utf-8")).splitlines()
            content = "\n".join(line.strip() for line in lines).encode()
        for line, message, _comments, _context in extract("python", io.BytesIO(content), keywords=FUNCTIONS):
            text = message[0] if isinstance(message, tuple) else message
            yield f"{source.relative_to(REPOSITORY)}:{line}", text


@pytest.mark.parametrize("room", ["backend", "storefront_theme"])
def test_every_marked_text_has_chinese(room: str) -> None:
    with (REPOSITORY / room / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as catalogue:
        chinese = {
            (message.id[0] if isinstance(message.id, tuple) else message.id): message.string
            for message in read_po(catalogue)
            if message.id and not message.fuzzy
        }
    found = list(marked_texts(REPOSITORY / room))
    assert len(found) > 100
    missing = [f"{where}: {text}" for where, text in found if not all(chinese.get(text) or [""])]
    assert missing == []
