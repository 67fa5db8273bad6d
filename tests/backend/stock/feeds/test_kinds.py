"""What cooperatives send that is no stock sheet: each is told how to save it properly."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from django.utils import translation

from backend.stock.feeds import MOST_BYTES, recognise
from tests.backend.stock.feeds.reading import read, refusal
from tests.backend.stock.shed import as_bytes, as_workbook


def archive(*names: str, mimetype: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        if mimetype:
            target.writestr("mimetype", mimetype)
        for name in names:
            target.writestr(name, "x")
    return file.getvalue()


def compound(*streams: str) -> bytes:
    """The head of an old Office file whose directory names these streams."""
    directory = b"".join(
        name.encode("utf-16-le").ljust(64, b"\x00") + struct.pack("<H", 2 * len(name) + 2) + bytes(62)
        for name in ("Root Entry", *streams)
    )
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\x00") + directory


@pytest.mark.parametrize(
    "raw, filename, advice",
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "IMG_2041.png", "照片"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "微信图片_20261123.jpg", "照片"),
        (bytes(4) + b"ftypheic" + bytes(40), "IMG_2041", "照片"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "", "照片"),
        (b"BM" + struct.pack("<IHHI", 100, 0, 0, 54), "", "照片"),
        (b"%PDF-1.7\n", "库存.pdf", "PDF"),
        (compound("Workbook"), "库存.et", "WPS"),
        (compound("WpsWorkbook"), "库存.ett", "WPS"),
        (compound("WordDocument"), "", "文档"),
        (compound("WordDocument"), "库存.wps", "WPS"),
        (compound("PowerPoint Document"), "", "另存为"),
        (compound("EncryptionInfo", "EncryptedPackage"), "库存.xlsx", "密码"),
        (archive("word/document.xml"), "库存.docx", "文档"),
        (archive("word/document.xml"), "库存.xlsx", "文档"),
        (archive("content.xml", mimetype="application/vnd.oasis.opendocument.text"), "", "文档"),
        (archive("库存.xlsx"), "库存.zip", "压缩包"),
        (archive("库存.xlsx"), "", "压缩包"),
        (archive("Index/Document.iwa"), "库存.numbers", ".xlsx"),
        (archive("xl/workbook.bin"), "库存.xlsb", "xlsb"),
        (b"Rar!\x1a\x07\x00", "", "压缩包"),
        (b"7z\xbc\xaf\x27\x1c", "", "压缩包"),
        (b"\x1f\x8b\x08\x00", "", "压缩包"),
        (b"{\\rtf1\\ansi", "", "文档"),
        (b"<html><table><tr><td>", "库存.xls", "网页"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<Workbook>', "库存.xls", "网页"),
        (b"", "库存.xlsx", "空"),
        (b" \r\n\r\n", "", "空"),
        (b"PK\x03\x04", "", ".xlsx"),
        (b"PK\x05\x06" + bytes(18), "", "压缩包"),
        (b"\x00\x01\x02\x03" * 30, "", "编码"),
        (b"\xd0\xcf\x11\xe0", "", ".xlsx"),
    ],
)
def test_what_is_no_stock_sheet_is_told_how_to_be_saved(raw: bytes, filename: str, advice: str) -> None:
    with translation.override("zh-hans"):
        assert advice in refusal(raw, filename=filename)


@pytest.mark.parametrize("filename", ["库存.xls", "库存.csv", "库存", "../../etc/passwd", "\x00", "x" * 5000])
def test_a_workbook_is_one_whatever_it_is_called(filename: str) -> None:
    raw = as_bytes(as_workbook([["XY-0003", "莴笋", 30, "斤"]]))
    assert [row.value for row in read(raw, filename=filename).rows] == [30.0]


def test_json_is_known_by_its_first_sign_or_its_name() -> None:
    assert recognise(b' {"items": []}') == "json"
    assert recognise(b"[1]", filename="a.JSON") == "json"
    assert recognise("编码,库存".encode(), filename="a.xlsx") == "csv"


def test_a_file_of_more_than_ten_megabytes_is_refused_unread() -> None:
    assert refusal(b"x" * (MOST_BYTES + 1))
