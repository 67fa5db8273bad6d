"""Texts that rooms keep in Chinese and in English side by side."""

from django.db.models import Model
from django.utils.translation import get_language


def is_english() -> bool:
    """Whether the person who is being answered reads English."""
    return (get_language() or "").startswith("en")


def localised(instance: Model, field: str) -> str:
    """The text of `field`, or of `field`_en for an English reader, where there is one."""
    if is_english():
        english: str = getattr(instance, f"{field}_en", "")
        if english:
            return english
    text: str = getattr(instance, field)
    return text
