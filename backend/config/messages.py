"""Compiles translations: `python -m backend.config.messages`. With Babel, since many machines have no msgfmt."""

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from backend.config.environment import REPOSITORY


def catalogues() -> list[Path]:
    """Our .po files."""
    return sorted(
        path
        for root in ("backend", "storefront_theme")
        for path in (REPOSITORY / root / "locale").rglob("*.po")
    )


def _locale(source: Path) -> str:
    """zh_Hans of locale/zh_Hans/LC_MESSAGES/django.po: it says how many plural forms there are."""
    return source.parent.parent.name


def compile_catalogues() -> list[Path]:
    """Writes the .mo file of each .po file that is newer than it; gives those that were written."""
    written = []
    for source in catalogues():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text:
            catalogue = read_po(text, locale=_locale(source), domain=source.stem)
        # Moved into place: another process may be reading the old one.
        aside = target.with_suffix(".mo.new")
        with aside.open("wb") as binary:
            write_mo(binary, catalogue)
        aside.replace(target)
        written.append(target)
    return written


def untranslated() -> list[str]:
    """What a reader of Chinese would see in English: entries that are empty or marked fuzzy."""
    found = []
    for source in catalogues():
        with source.open("rb") as text:
            for message in read_po(text, locale=_locale(source), abort_invalid=True):
                translations = message.string if isinstance(message.string, tuple) else (message.string,)
                if message.id and (message.fuzzy or not all(translations)):
                    found.append(
                        f"{source.relative_to(REPOSITORY)}:{message.lineno}: {message.id!r} has no translation"
                    )
    return found


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        missing = untranslated()
        sys.exit("\n".join(missing) if missing else 0)
    compile_catalogues()
