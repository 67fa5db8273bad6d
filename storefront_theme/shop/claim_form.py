"""What a buyer says about goods that arrived spoilt, short or wrong."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

MOST_PHOTOS = 4

FIELD_OF_API = {"line": "line", "packs": "packs", "problem": "problem", "words": "words", "photos": "photos"}


def problem_names() -> dict[str, str]:
    """What can be wrong, by the API's names, as a buyer would say it."""
    return {
        "SPOILT": str(_("Spoilt or rotten")),
        "DAMAGED": str(_("Crushed or damaged")),
        "SHORT": str(_("Missing or too little")),
        "WRONG": str(_("Not what I ordered")),
    }


class PhotosInput(forms.FileInput):
    """Several files in one field."""

    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """One to MOST_PHOTOS files; the API looks whether they are pictures."""

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        sent = [each for each in data or () if each]
        if not sent:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        if len(sent) > MOST_PHOTOS:
            raise forms.ValidationError(
                _("Please choose at most %(most)s photos.") % {"most": MOST_PHOTOS}, code="too_many"
            )
        return [super(PhotosField, self).clean(each) for each in sent]


class ClaimForm(forms.Form):
    """lines: what can be claimed about, by id, with the most packs of each.

    A line that is not among them is the API's to judge: the first of two taps may just have claimed about it.
    """

    line = forms.CharField(error_messages={"required": _("Please choose which goods.")})
    packs = forms.IntegerField(
        label=_("How many packs are affected"),
        min_value=1,
        error_messages={
            "required": _("Please say how many packs."),
            "invalid": _("Please say how many packs."),
            "min_value": _("Please say how many packs."),
        },
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    problem = forms.CharField(error_messages={"required": _("Please say what is wrong.")})
    words = forms.CharField(
        label=_("In a sentence"),
        max_length=500,
        error_messages={"required": _("Please describe it in a sentence.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    photos = PhotosField(
        label=_("Photos, one to four"),
        error_messages={"required": _("Please choose one to four photos.")},
        widget=PhotosInput(attrs={"accept": "image/jpeg,image/png,image/webp", "multiple": True}),
    )

    def __init__(self, *args: Any, lines: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines
        self.fields["packs"].widget.attrs["max"] = max(lines.values(), default=1)

    def clean_problem(self) -> str:
        """One of those that were shown."""
        chosen = str(self.cleaned_data["problem"])
        if chosen not in problem_names():
            raise forms.ValidationError(_("Please say what is wrong."))
        return chosen

    def clean(self) -> dict[str, Any]:
        """No more packs than she got."""
        cleaned = self.cleaned_data
        most = self.lines.get(cleaned.get("line", ""))
        if most is not None and (cleaned.get("packs") or 0) > most:
            self.add_error("packs", _("Of these there are %(most)s at most.") % {"most": most})
        return cleaned
