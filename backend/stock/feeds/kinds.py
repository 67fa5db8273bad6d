"""What kind of file this is, by its first bytes rather than its name; and, for a kind that holds no table, what to do.

A cooperative sends what its computer makes: a photo of the list, a file of WPS, a letter with a table in it. Each is
refused with how to save it properly.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from pathlib import PurePath

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.stock.errors import FeedUnreadable
from backend.stock.feeds.workbook import NOT_XLSX, PASSWORD

JSON = "json"
XLSX = "xlsx"
XLS = "xls"
ODS = "ods"
CSV = "csv"

_PHOTO = _(
    "This is a photo. Type the counts at the desk, or send the stock sheet as an Excel workbook (.xlsx)."
)
_PDF = _("This is a PDF. Send the workbook that it was made from, saved as .xlsx.")
_WPS = _("This is a file of WPS. Open it there, choose “Save as”, “Excel workbook (*.xlsx)”, and send that.")
_WORD = _(
    "This is a letter, not a stock sheet. Copy the table into a workbook, save it as .xlsx, and send that."
)
_ARCHIVE = _("This is a packed archive. Unpack it, and send the workbook that is in it.")
_WEB = _("This is a web page under another name. Open it in Excel or WPS, save it as .xlsx, and send that.")
_XLSB = _("This is a binary workbook (.xlsb). Open it, save it as .xlsx, and send that.")
_OTHER = _(
    "This kind of file cannot be read. Save the stock sheet as an Excel workbook (.xlsx), and send that."
)
_EMPTY = _("The file is empty. Save the stock sheet once more, and send that.")

_COMPOUND = b"\xd0\xcf\x11\xe0"
_SIGNATURES: tuple[tuple[bytes, Promise | str], ...] = (
    (b"\x89PNG", _PHOTO),
    (b"\xff\xd8\xff", _PHOTO),
    (b"GIF8", _PHOTO),
    (b"BM", _PHOTO),
    (b"II*\x00", _PHOTO),
    (b"MM\x00*", _PHOTO),
    (b"%PDF", _PDF),
    (b"{\\rtf", _WORD),
    (b"Rar!", _ARCHIVE),
    (b"7z\xbc\xaf", _ARCHIVE),
    (b"\x1f\x8b", _ARCHIVE),
)
_BY_NAME: dict[str, Promise | str] = {
    ".et": _WPS,
    ".ett": _WPS,
    ".wps": _WPS,
    ".wpt": _WPS,
    ".dps": _WPS,
    ".doc": _WORD,
    ".docx": _WORD,
    ".ppt": _WORD,
    ".pptx": _WORD,
    ".numbers": _OTHER,
    ".xlsb": _XLSB,
    ".pdf": _PDF,
    ".jpg": _PHOTO,
    ".jpeg": _PHOTO,
    ".png": _PHOTO,
    ".heic": _PHOTO,
    ".webp": _PHOTO,
    ".zip": _ARCHIVE,
    ".rar": _ARCHIVE,
    ".7z": _ARCHIVE,
}


def recognise(raw: bytes, *, filename: str = "") -> str:
    """json, xlsx, xls, ods or csv. Raises FeedUnreadable for any other kind, with how to save it properly."""
    if not raw or raw.isspace():
        raise FeedUnreadable(_EMPTY)
    suffix = PurePath(filename.strip().lower()).suffix
    if suffix in _BY_NAME:
        raise FeedUnreadable(_BY_NAME[suffix])
    for signature, message in _SIGNATURES:
        # BM begins many a word; a picture goes on with what is no text.
        if raw.startswith(signature) and (signature != b"BM" or b"\x00" in raw[:64]):
            raise FeedUnreadable(message)
    if (raw[:4] == b"RIFF" and raw[8:12] == b"WEBP") or raw[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        raise FeedUnreadable(_PHOTO)
    if raw.startswith(b"PK"):
        return _in_archive(raw)
    if raw.startswith(_COMPOUND):
        return _in_compound(raw)
    top = raw[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if re.match(rb"<(?:!doctype html|html|table|meta|\?xml|div|head|style)\b", top):
        raise FeedUnreadable(_WEB)
    return JSON if suffix == ".json" or top[:1] == b"{" else CSV


def _in_archive(raw: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = set(archive.namelist()[:5_000])
            kind = archive.open("mimetype").read(100) if "mimetype" in names else b""
    except (
        zipfile.BadZipFile,
        struct.error,
        NotImplementedError,
        ValueError,
        OSError,
        RuntimeError,
        EOFError,
    ) as error:
        raise FeedUnreadable(NOT_XLSX) from error
    except Exception as error:
        # zlib.error, and whatever a decompressor of another kind raises.
        raise FeedUnreadable(NOT_XLSX) from error
    if "xl/workbook.xml" in names:
        return XLSX
    if kind.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        return ODS
    if "xl/workbook.bin" in names:
        raise FeedUnreadable(_XLSB)
    if any(name.startswith(("word/", "ppt/")) for name in names) or kind.startswith(b"application/vnd.oasis"):
        raise FeedUnreadable(_WORD)
    if any(name.endswith(".iwa") for name in names):
        raise FeedUnreadable(_OTHER)
    raise FeedUnreadable(_ARCHIVE)


def _in_compound(raw: bytes) -> str:
    """An old Office file is a small file system; the names of its streams, in UTF-16, tell whose."""

    def has(name: str) -> bool:
        return name.encode("utf-16-le") + b"\x00\x00" in raw

    if has("EncryptedPackage"):
        raise FeedUnreadable(PASSWORD)
    if has("Workbook") or has("Book"):
        return XLS
    raise FeedUnreadable(_WORD if has("WordDocument") else _OTHER)
