"""Pictures that somebody sends: by the API and by the admin."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from PIL import Image, PngImagePlugin
from saleor.account.models import User
from saleor.product.models import ProductImage

from backend.saleor_port import uploads, without
from backend.saleor_port.uploads import redrawn
from tests import produce

PAGE = b"<html><script>alert(document.domain)</script></html>"
MINE = re.compile(r"products/[0-9a-f]{32}\.(jpg|png)")

ADD_PICTURE = """
mutation($product: ID!, $image: Upload!) {
  productImageCreate(input: {product: $product, image: $image, alt: "大葱"}) {
    image { id } errors { field message } productErrors { field code }
  }
}
"""


def a_picture(format_name: str = "JPEG", *, size: tuple[int, int] = (64, 48), **how: Any) -> bytes:
    buffer = BytesIO()
    Image.new(how.pop("mode", "RGB"), size, how.pop("colour", (200, 30, 30))).save(buffer, format_name, **how)
    return buffer.getvalue()


def sent(content: bytes, *, name: str = "a.jpg", kind: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


@pytest.fixture(autouse=True)
def media_root(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def editor(db: None, client: Client) -> Callable[..., dict[str, Any]]:
    """赵干事 keeps the catalogue; sends a file as a picture of goods, and gets the answer."""
    person = produce.a_person(email="zhao@town.example", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="manage_products"))
    product = produce.a_product(name="白马大葱")
    signed_in = client.post(
        "/graphql/",
        json.dumps(
            {
                "query": 'mutation { tokenCreate(email: "zhao@town.example", password: "secret-of-the-test") { token } }'
            }
        ),
        content_type="application/json",
    ).json()
    token = signed_in["data"]["tokenCreate"]["token"]

    def send(file: SimpleUploadedFile) -> dict[str, Any]:
        from graphene import Node

        variables = {"product": Node.to_global_id("Product", product.pk), "image": None}
        answer = client.post(
            "/graphql/",
            {
                "operations": json.dumps({"query": ADD_PICTURE, "variables": variables}),
                "map": json.dumps({"0": ["variables.image"]}),
                "0": file,
            },
            headers={"Authorization": f"JWT {token}"},
        ).json()
        result: dict[str, Any] = answer["data"]["productImageCreate"]
        return result

    return send


def test_saleor_keeps_a_page_of_html_that_calls_itself_a_picture(
    editor: Callable[..., dict[str, Any]], media_root: Path
) -> None:
    with without("redrawn_uploads"):
        editor(sent(PAGE, name="evil.html"))

    assert (media_root / "products" / "evil.html").read_bytes() == PAGE


def test_a_page_of_html_that_calls_itself_a_picture_is_refused(
    editor: Callable[..., dict[str, Any]], media_root: Path
) -> None:
    answer = editor(sent(PAGE, name="evil.html"))

    assert answer["productErrors"] == [{"field": "image", "code": "INVALID"}]
    assert not ProductImage.objects.exists()
    assert [path for path in media_root.rglob("*") if path.is_file()] == []


def test_a_picture_with_a_page_behind_it_is_kept_without_the_page(
    editor: Callable[..., dict[str, Any]], media_root: Path
) -> None:
    answer = editor(sent(a_picture() + PAGE, name="../../evil.html", kind="text/html"))

    assert answer["productErrors"] == []
    kept = ProductImage.objects.get().image.name
    assert MINE.fullmatch(kept)
    assert b"script" not in (media_root / kept).read_bytes()
    with Image.open(media_root / kept) as image:
        assert (image.format, image.size) == ("JPEG", (64, 48))


def test_the_admin_takes_a_picture_and_refuses_what_is_none(
    db: None, client: Client, media_root: Path
) -> None:
    User.objects.create_superuser("admin@xinyi.example", "does not matter")
    client.force_login(
        User.objects.get(email="admin@xinyi.example"),
        backend="backend.saleor_port.sign_in.PasswordBackend",
    )
    category = produce.a_product(name="白马大葱").category
    form = {
        "name": category.name,
        "slug": category.slug,
        "description": "",
        "seo_title": "",
        "seo_description": "",
        "translations-TOTAL_FORMS": "0",
        "translations-INITIAL_FORMS": "0",
    }
    url = f"/admin/product/category/{category.pk}/change/"

    refused = client.post(url, {**form, "background_image": sent(PAGE)})
    assert refused.status_code == 200
    category.refresh_from_db()
    assert not category.background_image

    taken = client.post(url, {**form, "background_image": sent(a_picture("PNG") + PAGE, name="evil.png")})
    assert taken.status_code == 302, re.findall(r"errorlist.*?</ul>", taken.content.decode())
    category.refresh_from_db()
    assert re.fullmatch(r"category-backgrounds/[0-9a-f]{32}\.jpg", category.background_image.name)
    assert b"script" not in (media_root / category.background_image.name).read_bytes()


def test_what_no_form_has_looked_at_is_refused_at_the_disk(db: None, media_root: Path) -> None:
    product = produce.a_product(name="白马大葱")
    with pytest.raises(ValidationError, match="not a picture"):
        product.images.create(image=sent(PAGE))
    assert [path for path in media_root.rglob("*") if path.is_file()] == []


def test_the_shops_own_pictures_are_kept_as_they_are(db: None, media_root: Path) -> None:
    product = produce.a_product(name="白马大葱")
    own = a_picture("WEBP")
    image = product.images.create(image=ContentFile(own, name="dacong.webp"))
    assert (media_root / image.image.name).read_bytes() == own


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(PAGE, id="html"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', id="svg"),
        pytest.param(b"GIF89a" + PAGE, id="html that begins as a GIF"),
        pytest.param(a_picture()[:300], id="half a JPEG"),
        pytest.param(a_picture("PNG")[:60], id="half a PNG"),
        pytest.param(a_picture("TIFF"), id="a format whose decoder stays shut"),
        pytest.param(a_picture("BMP"), id="another"),
    ],
)
def test_refused(content: bytes) -> None:
    with pytest.raises(ValidationError, match="not a picture"):
        redrawn(sent(content))


def test_a_small_file_of_very_many_pixels_is_refused_before_it_is_decoded() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (8_000, 30_000, 2**31 - 1):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        with pytest.raises(ValidationError, match="million pixels"):
            redrawn(sent(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")))


def test_a_file_of_very_many_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = a_picture()
    monkeypatch.setattr(uploads, "MOST_BYTES", len(picture))
    redrawn(sent(picture))
    with pytest.raises(ValidationError, match="MB"):
        redrawn(sent(picture + b"."))


def test_what_lies_beside_the_pixels_stays_behind() -> None:
    """Where the picture was taken, for one: the farmer's house."""
    exif = Image.Exif()
    exif[0x010E] = "taken at 31.4,104.7"
    comment = PngImagePlugin.PngInfo()
    comment.add_text("Comment", "taken at 31.4,104.7")
    for content in (a_picture(exif=exif, comment=b"taken at"), a_picture("PNG", pnginfo=comment)):
        assert b"taken at" in content
        assert b"taken at" not in redrawn(sent(content)).read()


def test_a_phone_held_upright_makes_an_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    with Image.open(redrawn(sent(a_picture(size=(64, 48), exif=exif)))) as image:
        assert image.size == (48, 64)


def test_a_large_picture_is_kept_smaller() -> None:
    with Image.open(redrawn(sent(a_picture(size=(4000, 1000))))) as image:
        assert image.size == (uploads.KEPT_SIDE_PX, uploads.KEPT_SIDE_PX // 4)


@pytest.mark.parametrize(
    ("content", "kept_as", "mode"),
    [
        pytest.param(a_picture("WEBP"), "jpg", "RGB", id="webp"),
        pytest.param(a_picture("WEBP", mode="RGBA", colour=(9, 9, 9, 90)), "png", "RGBA", id="see-through"),
        pytest.param(a_picture("JPEG", mode="CMYK", colour=(9, 9, 9, 90)), "jpg", "RGB", id="for print"),
        pytest.param(a_picture("PNG", mode="L", colour=9), "jpg", "RGB", id="grey"),
        pytest.param(a_picture("GIF", mode="P", colour=1), "jpg", "RGB", id="palette"),
        pytest.param(a_picture("PNG", mode="I;16", colour=9), "jpg", "RGB", id="16 bits"),
    ],
)
def test_every_kind_of_picture_becomes_one_of_two(content: bytes, kept_as: str, mode: str) -> None:
    kept = redrawn(sent(content))
    assert re.fullmatch(rf"[0-9a-f]{{32}}\.{kept_as}", str(kept.name))
    with Image.open(kept) as image:
        assert image.mode == mode


def test_an_unreadable_profile_costs_no_picture() -> None:
    assert redrawn(sent(a_picture(icc_profile=b"not a profile"))).read()
