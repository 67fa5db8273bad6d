"""The documents that anybody may run: those of the theme, and others whose directory the settings name.

In production (settings.TRUSTED_DOCUMENTS_ONLY) a client that has not signed in may run these and nothing else, by the
SHA-256 of the file's text or with the very text. `backend/manage.py list_documents` lists them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True)
class TrustedDocument:
    """One file: its name without .graphql, the SHA-256 of its text in hexadecimal digits, the text."""

    name: str
    sha256: str
    text: str


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def trusted_documents() -> Mapping[str, TrustedDocument]:
    """{SHA-256: document}, read once in a process."""
    return _read(tuple(settings.TRUSTED_DOCUMENTS))


@lru_cache(maxsize=8)
def _read(directories: tuple[Path, ...]) -> dict[str, TrustedDocument]:
    documents = {}
    for directory in directories:
        for path in sorted(directory.glob("*.graphql")):
            text = path.read_bytes().decode("utf-8")
            documents[sha256_of(text)] = TrustedDocument(name=path.stem, sha256=sha256_of(text), text=text)
    return documents
