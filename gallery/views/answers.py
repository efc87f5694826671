"""What is said to who uploads: may they, and what became of a file."""

from __future__ import annotations

import html
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext

from gallery.uploads import Answer, Kind


def may_upload(request: HttpRequest) -> None:
    """Raise PermissionDenied for who may only look."""
    if not request.user.has_perm("gallery.add_photo"):
        raise PermissionDenied(
            gettext(
                "Your account may look at the photos, but not add any. Ask whoever "
                "looks after this site if it should."
            )
        )


def in_words(request: HttpRequest, answer: Answer) -> dict[str, Any]:
    """The answer for the page's script: its kind, and the words."""
    context = {
        "answer": answer,
        "photo": answer.photo,
        "sighting": answer.sighting,
    }
    words = render_to_string("gallery/_answer.html", context, request)
    said = {
        "kind": answer.kind.value,
        "text": html.unescape(strip_tags(" ".join(words.split()))),
    }
    if answer.photo:
        said["photo"] = answer.photo.get_absolute_url()
    if answer.kind == Kind.TRASHED and request.user.has_perm("gallery.change_photo"):
        said["restore"] = reverse("gallery:restore", args=[answer.photo.pk])  # type: ignore[union-attr]
    if answer.sighting:
        said["source"] = answer.sighting.source.label
    return said
