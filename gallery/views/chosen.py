"""The photos somebody has chosen, as a form sends them."""

from __future__ import annotations

import re

from django.contrib.auth.models import AbstractBaseUser
from django.http import QueryDict

from gallery import albums, catalogue
from gallery.columns import Selection
from gallery.forms import BrowseForm

KEY = re.compile(r"[0-9]{1,18}", re.ASCII)
# What names photos in a form, to be asked again on the next page.
FIELDS = ("photos", "view", "source", "folder", "deep")


def chosen(data: QueryDict, user: AbstractBaseUser) -> list[int]:
    """Return the keys of the photos that are meant, in the order they stand in.

    `photos` are keys, one a field or many with commas; `view` is a selection of the
    browse page, as the end of its address; `source`, `folder` and `deep` are a folder of
    a drive. What cannot be read is left out.
    """
    keys = KEY.findall(",".join(data.getlist("photos")))
    photos = [int(key) for key in keys]
    if "view" in data:
        photos += of_view(data.get("view", ""), user)
    source = data.get("source", "")
    if KEY.fullmatch(source):
        folder = data.get("folder", "")
        photos += albums.in_folder(int(source), folder, deep="deep" in data)
    return list(dict.fromkeys(photos))


def of_view(query: str, user: AbstractBaseUser) -> list[int]:
    """Return all photos of a selection, in its order."""
    form = BrowseForm(QueryDict(query.removeprefix("?")))
    photos = form.select(Selection.all(catalogue.current()), user)
    if not len(photos):
        return []
    return photos.beside(form.order, None, size=len(photos))
