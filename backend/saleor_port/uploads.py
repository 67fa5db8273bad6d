"""What somebody uploads as a picture is drawn anew before it is kept.

Saleor believes the Content-Type that the sender wrote, and keeps the file as it came, under the sender's name: a page
of HTML goes on being served as one from the shop's own address. Here only what Pillow can read as a picture is kept,
as pixels that this machine wrote: nothing behind the picture or in its metadata survives, nor where it was taken.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageCms, ImageOps

from backend.saleor_port.registry import Replace, everywhere, patch

# What a phone's camera makes, and what nginx and the API let through.
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 50_000_000
# Of the longer side, as kept: twice the largest thumbnail, with room to cut.
KEPT_SIDE_PX = 2560
# No other decoder of Pillow's ever sees an upload.
READ_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
JPEG_QUALITY = 90
# A photo of leaves is some 300 KB at the first one, with 1600 pixels.
_PHOTO_QUALITIES = (82, 65, 45)


@patch(
    name="redrawn_uploads",
    reason="validate_image_file asks the sender's Content-Type alone, and the file is kept under its name (2.10.1)",
)
def redrawn_uploads() -> Iterator[Replace]:
    from saleor.graphql.core.utils import validate_image_file
    from versatileimagefield.fields import VersatileImageField
    from versatileimagefield.files import VersatileImageFieldFile
    from versatileimagefield.forms import VersatileImageFormField

    def checked_image_file(file: Any, field_name: str) -> None:
        if not file:
            raise ValidationError({field_name: ValidationError(_("A picture is missing."), code="required")})
        try:
            _measure(file)
        except ValidationError as refused:
            raise ValidationError({field_name: refused}) from refused

    # The admin's forms; Django's field would show the file to every decoder that Pillow has.
    to_python = VersatileImageFormField.to_python

    def measured_first(self: Any, data: Any) -> Any:
        if isinstance(data, UploadedFile):
            _measure(data)
        return to_python(self, data)

    # Whatever cleans a whole object.
    def clean(self: Any, value: Any, model_instance: Any) -> Any:
        cleaned = super(VersatileImageField, self).clean(value, model_instance)
        if cleaned and not cleaned._committed and isinstance(cleaned.file, UploadedFile):
            _measure(cleaned.file)
        return cleaned

    # The one door to the disk: whatever no form has looked at is refused here.
    def save(self: Any, name: str, content: File[Any], save: bool = True) -> None:
        if isinstance(content, UploadedFile):
            content = redrawn(content)
            name = str(content.name)
        super(VersatileImageFieldFile, self).save(name, content, save)

    yield from everywhere(validate_image_file, checked_image_file)
    yield Replace(VersatileImageFormField, "to_python", measured_first)
    yield Replace(VersatileImageField, "clean", clean)
    yield Replace(VersatileImageFieldFile, "save", save)


@dataclass(frozen=True)
class Photo:
    """A JPEG that this machine wrote; width and height in pixels."""

    jpeg: bytes
    width: int
    height: int


def redrawn(file: File[Any]) -> ContentFile[bytes]:
    """The picture as this machine writes it: JPEG, or PNG where it is see-through; upright, sRGB, under a new name.

    Raises ValidationError as `_measure` does.
    """
    plain = _drawn(file, longest_side_px=KEPT_SIDE_PX)
    see_through = plain.mode == "RGBA"
    buffer = BytesIO()
    if see_through:
        plain.save(buffer, "PNG", optimize=True)
    else:
        plain.save(buffer, "JPEG", quality=JPEG_QUALITY, progressive=True)
    return ContentFile(buffer.getvalue(), name=f"{uuid.uuid4().hex}.{'png' if see_through else 'jpg'}")


def photo_of(file: File[Any], *, longest_side_px: int, most_bytes: int) -> Photo:
    """The picture as a small JPEG, on white where it was see-through: as good as it can be within most_bytes.

    Raises ValidationError as `_measure` does, and for a picture that does not get that small.
    """
    plain = _drawn(file, longest_side_px=longest_side_px)
    if plain.mode == "RGBA":
        ground = Image.new("RGB", plain.size, "white")
        ground.paste(plain, mask=plain.getchannel("A"))
        plain = ground
    for quality in _PHOTO_QUALITIES:
        buffer = BytesIO()
        plain.save(buffer, "JPEG", quality=quality, progressive=True)
        if buffer.tell() <= most_bytes:
            return Photo(jpeg=buffer.getvalue(), width=plain.width, height=plain.height)
    raise _not_a_picture()


def _drawn(file: File[Any], *, longest_side_px: int) -> Image.Image:
    """The pixels alone, RGBA where they are see-through, RGB elsewhere; upright and in sRGB."""
    _measure(file)
    file.seek(0)
    try:
        with warnings.catch_warnings(), Image.open(file, formats=READ_FORMATS) as image:
            # _measure has counted the pixels.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            # First, so that a large JPEG is decoded small.
            image.thumbnail((longest_side_px, longest_side_px))
            upright = ImageOps.exif_transpose(image)
            drawn = _in_srgb(upright).convert("RGBA" if upright.has_transparency_data else "RGB")
    except _UNREADABLE as error:
        raise _not_a_picture() from error

    # A new image of the same pixels: what Pillow keeps beside them (EXIF, comments, profiles) stays behind.
    plain = Image.new(drawn.mode, drawn.size)
    plain.paste(drawn)
    return plain


# What Pillow raises for files that are broken, or made to be.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def _measure(file: File[Any]) -> None:
    """Raise ValidationError for what is not a picture, or is larger than this machine cares to decode.

    Reads the header alone; the name and the Content-Type that came along are not asked.
    """
    if file.size > MOST_BYTES:
        raise ValidationError(
            _("The picture has more than %(megabytes)s MB.") % {"megabytes": MOST_BYTES // 1024 // 1024},
            code="invalid",
        )
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=READ_FORMATS) as image:
                width, height = image.size
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except _UNREADABLE as error:
        raise _not_a_picture() from error
    finally:
        file.seek(0)
    if width * height > MOST_PIXELS:
        raise _too_many_pixels()


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours as a browser takes them without a profile; phones write Display P3."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA"):
        return image
    try:
        return (
            ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode=image.mode,
            )
            or image
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        # An unreadable profile costs a shade of colour.
        return image


def _not_a_picture() -> ValidationError:
    return ValidationError(
        _("This is not a picture that can be read: JPEG, PNG, WebP or GIF."), code="invalid"
    )


def _too_many_pixels() -> ValidationError:
    return ValidationError(
        _("The picture has more than %(millions)s million pixels.") % {"millions": MOST_PIXELS // 1_000_000},
        code="invalid",
    )
