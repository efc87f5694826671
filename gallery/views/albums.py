"""Albums: making them, what lies in them, and the order it stands in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from gallery import albums as rooms
from gallery import catalogue, paging
from gallery.columns import Selection
from gallery.forms import AlbumForm
from gallery.models import Album, Photo, Source
from gallery.orders import Order
from gallery.tiles import ratio
from gallery.views.chosen import FIELDS, KEY, chosen

ALBUMS_PER_PAGE = 60
PHOTOS_TO_ARRANGE = 200
BY_HAND = Order("hand")
# In a session: the album somebody last took photos out of, and their places in it.
TAKEN_OUT = "taken_out"
makes = permission_required("gallery.add_album", raise_exception=True)


def changeable(request: HttpRequest, album_id: int) -> Album:
    """Return the album if whoever asks may change it."""
    found = get_object_or_404(Album.objects.select_related("made_by"), pk=album_id)
    if not found.may_be_changed_by(request.user):
        raise PermissionDenied(
            _("This album is somebody else's. Only who made it can change it.")
        )
    return found


# All albums, and one


@require_safe
def albums(request: HttpRequest) -> HttpResponse:
    found = Album.objects.select_related("made_by").order_by("-changed_at", "-pk")
    page = Paginator(found, ALBUMS_PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    context = {"page": page, "albums": rooms.overviews(shown, catalogue.soon())}
    return render(request, "gallery/albums.html", context)


@require_safe
def album(request: HttpRequest, album_id: int) -> HttpResponse:
    """The album's own address; its photos are a view of the browse page."""
    found = get_object_or_404(Album, pk=album_id)
    return redirect(found.browse_url)


# Making one, and adding to it


@require_safe
@makes
def new_album(request: HttpRequest) -> HttpResponse:
    """Find a folder of a drive to make an album of."""
    source = request.GET.get("source", "")
    folder = request.GET.get("folder", "").strip("/")
    context: dict[str, Any] = {
        "sources": Source.objects.order_by("label"),
        "folder": folder,
    }
    if KEY.fullmatch(source):
        found = get_object_or_404(Source, pk=int(source))
        parts = folder.split("/") if folder else []
        context |= {
            "source": found,
            "folders": rooms.folders(found.pk, folder),
            "trail": [
                ("/".join(parts[: at + 1]), part) for at, part in enumerate(parts)
            ],
            "title": parts[-1] if parts else found.label,
            "here": len(rooms.in_folder(found.pk, folder, deep=False)),
            "below": len(rooms.in_folder(found.pk, folder, deep=True)),
        }
    return render(request, "gallery/new_album.html", context)


@require_POST
@makes
def add_to_album(request: HttpRequest) -> HttpResponse:
    """Put photos into an album, old or new; ask which if that is not said."""
    photos = chosen(request.POST, request.user)  # type: ignore[arg-type]
    key, title = request.POST.get("album", ""), request.POST.get("title", "").strip()
    if KEY.fullmatch(key):
        target = changeable(request, int(key))
    elif title and photos:
        target = Album.objects.create(title=title[:200], made_by=request.user)  # type: ignore[misc]
    else:
        return choose_album(request, photos)
    count = target.add(photos, by=request.user)  # type: ignore[arg-type]
    messages.success(request, added(count, target))
    return redirect(target.browse_url)


def added(count: int, album: Album) -> str:
    if not count:
        return _("These photos were in “%(title)s” before.") % {"title": album.title}
    said = ngettext(
        "%(count)d photo added to “%(title)s”.",
        "%(count)d photos added to “%(title)s”.",
        count,
    )
    return said % {"count": count, "title": album.title}


def choose_album(request: HttpRequest, photos: list[int]) -> HttpResponse:
    mine = Album.objects.changeable_by(request.user).order_by("-changed_at")
    context = {
        "count": len(photos),
        "albums": mine[:200],
        "fields": [
            (name, value) for name in FIELDS for value in request.POST.getlist(name)
        ],
    }
    return render(request, "gallery/choose_album.html", context)


# Changing one


@require_http_methods(["GET", "HEAD", "POST"])
def edit_album(request: HttpRequest, album_id: int) -> HttpResponse:
    found = changeable(request, album_id)
    form = AlbumForm(request.POST or None, instance=found)
    if form.is_valid():
        found.update(**form.cleaned_data)
        return redirect(found.browse_url)
    return render(request, "gallery/edit_album.html", {"album": found, "form": form})


@require_POST
def take_out(request: HttpRequest, album_id: int) -> HttpResponse:
    found = changeable(request, album_id)
    photos = chosen(request.POST, request.user)  # type: ignore[arg-type]
    inside = rooms.contents(found, catalogue.current())
    taken = found.take_out(inside.behind(photos))
    count = len(taken)
    # Undone by who took them out, in the same browser, until they take out others.
    request.session[TAKEN_OUT] = {"album": found.pk, "places": taken}
    said = ngettext(
        "%(count)d photo taken out of “%(title)s”. It stays in the vault.",
        "%(count)d photos taken out of “%(title)s”. They stay in the vault.",
        count,
    )
    undo = reverse("gallery:put_back", args=[found.pk]) if taken else ""
    said %= {"count": count, "title": found.title}
    messages.success(request, said, extra_tags=undo)
    return redirect(found.browse_url)


@require_POST
def put_back(request: HttpRequest, album_id: int) -> HttpResponse:
    """Undo the last taking out."""
    found = changeable(request, album_id)
    last = request.session.get(TAKEN_OUT, {})
    taken = last.get("places", []) if last.get("album") == found.pk else []
    count = found.put_back(taken, by=request.user)  # type: ignore[arg-type]
    if count:
        del request.session[TAKEN_OUT]
        said = ngettext(
            "%(count)d photo is back in “%(title)s”.",
            "%(count)d photos are back in “%(title)s”.",
            count,
        )
        messages.success(request, said % {"count": count, "title": found.title})
    else:
        messages.error(request, _("Nothing was left to undo: no photo was taken out."))
    return redirect(found.browse_url)


@require_POST
def album_cover(request: HttpRequest, album_id: int) -> HttpResponse:
    found = changeable(request, album_id)
    inside = rooms.contents(found, catalogue.current())
    rows = inside.behind(chosen(request.POST, request.user)[:1])  # type: ignore[arg-type]
    if rows:
        found.update(cover=Photo.objects.get(pk=rows[0]))
        messages.success(request, _("That is the cover now."))
    return redirect(found.browse_url)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_album(request: HttpRequest, album_id: int) -> HttpResponse:
    """Ask, and then take the album away; its photos stay in the vault."""
    found = get_object_or_404(Album, pk=album_id)
    if not found.may_be_deleted_by(request.user):
        raise PermissionDenied(
            _("This album is somebody else's. Only who made it can change it.")
        )
    if request.method == "POST":
        found.delete()
        said = _("The album “%(title)s” is gone. Its photos are all still there.")
        messages.success(request, said % {"title": found.title})
        return redirect("gallery:albums")
    return render(request, "gallery/delete_album.html", {"album": found})


# By hand


@require_http_methods(["GET", "HEAD", "POST"])
def arrange_album(request: HttpRequest, album_id: int) -> HttpResponse:
    """Put the photos in an order by hand; a POST moves one before another."""
    found = changeable(request, album_id)
    if request.method == "POST":
        return move(request, found)
    listed = catalogue.Selected(by_hand(found), Photo.objects.live().for_tiles())
    page = paging.page(
        listed,
        BY_HAND,
        size=PHOTOS_TO_ARRANGE,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    tiles = [{"photo": one, "ratio": ratio(one.width, one.height)} for one in page.rows]
    context = {"album": found, "page": page, "tiles": tiles}
    return render(request, "gallery/arrange_album.html", context)


def by_hand(album: Album) -> Selection:
    return rooms.select(Selection.all(catalogue.current()), album)


def move(request: HttpRequest, album: Album) -> HttpResponse:
    """Move a photo `before` or `after` another, or one place `to` earlier or later."""
    photo = request.POST.get("photo", "")
    if not KEY.fullmatch(photo):
        return redirect("gallery:arrange_album", album.pk)
    inside = rooms.contents(album, catalogue.current())
    following = asked_place(request, by_hand(album), int(photo))
    row = inside.behind([int(photo)])[:1]
    target = inside.behind([following])[:1] if following else []
    if (
        row
        and (target or not following)
        and album.move(row[0], before=target[0] if target else None)
    ):
        album.update(sort=Album.Sort.BY_HAND)
    if request.headers.get("X-Arrange"):
        return HttpResponse(status=204)
    address = reverse("gallery:arrange_album", args=[album.pk])
    return redirect(f"{address}#photo-{photo}")


def asked_place(request: HttpRequest, photos: Selection, photo: int) -> int | None:
    """Return the photo before which another is to stand; none at the end."""
    before, after, to = (
        request.POST.get(name, "") for name in ("before", "after", "to")
    )
    if KEY.fullmatch(before):
        return int(before)
    if to == "earlier":
        return next(iter(beside(photos, photo, backwards=True)), photo)
    stays = int(after) if KEY.fullmatch(after) else photo
    later = [one for one in beside(photos, stays) if one != photo]
    if not after and later:
        later = [one for one in beside(photos, later[0]) if one != photo]
    return next(iter(later), None)


def beside(photos: Selection, photo: int, *, backwards: bool = False) -> list[int]:
    place = photos.place(photo, BY_HAND)
    if place is None:
        return []
    return photos.beside(BY_HAND, place, size=2, backwards=backwards)
