"""What the review page sends back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dedup.models import Choice, DuplicateSet


class ReviewForm(forms.Form):
    """A choice for every member of a set, and which state of the set was looked at.

    The fields of the choices are named after the photos: `photo-12`.
    """

    seen = forms.IntegerField(widget=forms.HiddenInput)

    CHOICES = [(Choice.KEEP.value, _("Keep")), (Choice.DISCARD.value, _("Discard"))]

    def __init__(
        self, data: Any = None, *, duplicate_set: DuplicateSet, **options: Any
    ) -> None:
        options["initial"] = {"seen": duplicate_set.revision}
        super().__init__(data, **options)
        members = duplicate_set.members.order_by("place", "pk")
        for photo, suggestion in members.values_list("photo_id", "suggestion"):
            self.fields[f"photo-{photo}"] = forms.ChoiceField(
                choices=self.CHOICES, initial=suggestion
            )

    def choices(self) -> dict[int, str]:
        """Return the choice for each photo, by its id."""
        return {
            int(name.removeprefix("photo-")): choice
            for name, choice in self.cleaned_data.items()
            if name.startswith("photo-")
        }
