"""Which tables show on which pages: writing to one of them is announced, so that kept pages are drawn anew."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save

from backend.common.freshness import Subject, bump_on_commit

SHOWN: dict[str, Subject] = {
    # An app with all its tables, or a table.
    "product": Subject.CATALOGUE,
    "discount": Subject.CATALOGUE,
    "catalogue": Subject.CATALOGUE,
    "provenance": Subject.CATALOGUE,
    # What a delivery costs and when it comes.
    "shipping": Subject.CATALOGUE,
    "ordering.deliverymethod": Subject.CATALOGUE,
    # The ledger announces itself; these are what the back office edits.
    "stock.supply": Subject.STOCK,
    "stock.pack": Subject.STOCK,
    "cooperatives.village": Subject.BRAND,
    "cooperatives.cooperative": Subject.BRAND,
    "brand": Subject.BRAND,
    "page": Subject.BRAND,
    "menu": Subject.BRAND,
    "site": Subject.BRAND,
}


def subject_of(model: type[Model]) -> Subject | None:
    """What the rows of a table are shown as; None for what no public page shows."""
    return SHOWN.get(model._meta.label_lower) or SHOWN.get(model._meta.app_label)


def announce_changes() -> None:
    """Once all models are there: connect the signals of those that pages show.

    Signals know of save() and delete(), not of QuerySet.update(): whoever writes so announces it by himself.
    """
    for model in apps.get_models(include_auto_created=True):
        if subject_of(model) is None:
            continue
        name = f"freshness of {model._meta.label_lower}"
        if model._meta.auto_created:
            m2m_changed.connect(_changed, sender=model, dispatch_uid=name)
        else:
            post_save.connect(_changed, sender=model, dispatch_uid=name)
            post_delete.connect(_changed, sender=model, dispatch_uid=name)


def announce_staff_change() -> None:
    """After any mutation by staff: some of Saleor's write whole tables with QuerySet.update()."""
    bump_on_commit(Subject.CATALOGUE)
    bump_on_commit(Subject.BRAND)


def _changed(sender: type[Model], **_signal: Any) -> None:
    subject = subject_of(sender)
    if subject is not None:
        bump_on_commit(subject)
