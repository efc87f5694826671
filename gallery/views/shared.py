"""What a link shows to whoever has it: one album, and nothing else of the vault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from pathlib import PurePath
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import albums, catalogue, packing, paging, zips
from gallery.columns import Selection
from gallery.facts import shared_facts
from gallery.forms import BrowseForm
from gallery.middleware import one_moment
from gallery.models import Photo, ShareLink
from gallery.serving import plain
from gallery.slides import around, preview_size, slide
from gallery.tiles import Tile, heading, ratio, tiles
from gallery.views import files, together

View = Callable[..., HttpResponseBase]
PHOTOS_PER_PAGE = 80
KEPT_SECONDS = 30 * 24 * 60 * 60


def by_link(view: View) -> View:
    """Give a view the link of its token, while that leads in and its password is known."""

    @login_not_required
    @vary_on_headers("Cookie")
    @wraps(view)
    def guarded(request: HttpRequest, token: str, **options: Any) -> HttpResponseBase:
        # The maker's role is looked at each time, as it is for every other page.
        links = ShareLink.objects.select_related("album", "made_by")
        link = links.to(token)
        if link is None:
            answer: HttpResponseBase = gone(request, status=404)
        elif not link.is_open:
            answer = gone(request, status=410)
        elif link.password and not is_known(request, link):
            answer = ask(request, link)
        else:
            try:
                answer = view(request, link, **options)
            except catalogue.Reading:
                answer = one_moment(request)
        return private(answer)

    return guarded


def private(answer: HttpResponseBase) -> HttpResponseBase:
    """Keep an answer from search engines, from caches, and from use after the link ends."""
    answer["X-Robots-Tag"] = "noindex, nofollow"
    # The address holds the token, and no other site is to learn it.
    answer["Referrer-Policy"] = "same-origin"
    keeps = answer.has_header("ETag")
    answer["Cache-Control"] = "private, no-cache" if keeps else "private, no-store"
    return answer


def gone(request: HttpRequest, *, status: int) -> HttpResponse:
    return render(request, "gallery/shared_gone.html", status=status)


# The password


def cookie(link: ShareLink) -> str:
    return f"share-{link.pk}"


def is_known(request: HttpRequest, link: ShareLink) -> bool:
    kept = request.get_signed_cookie(
        cookie(link), default="", salt=link.token, max_age=KEPT_SECONDS
    )
    return constant_time_compare(kept or "", link.key)


def ask(request: HttpRequest, link: ShareLink) -> HttpResponse:
    """Ask for the password, or try the one that was sent; the pictures are refused."""
    is_page = request.path == link.get_absolute_url()
    if not is_page or request.method != "POST" or "password" not in request.POST:
        return password_page(request, link, status=200 if is_page else 403)
    if not link.may_try():
        said = _("The password was wrong too often. Try again in a quarter of an hour.")
        return password_page(request, link, status=429, said=said)
    if not link.opens_with(request.POST["password"]):
        return password_page(
            request, link, status=200, said=_("That is not the password.")
        )
    answer = redirect(link)
    answer.set_signed_cookie(
        cookie(link),
        link.key,
        salt=link.token,
        max_age=KEPT_SECONDS,
        path=link.get_absolute_url(),
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return answer


def password_page(
    request: HttpRequest, link: ShareLink, *, status: int, said: str = ""
) -> HttpResponse:
    context = {"link": link, "said": said}
    return render(request, "gallery/shared_password.html", context, status=status)


# The album


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request", "HX-Target")
@by_link
def shared(request: HttpRequest, link: ShareLink) -> HttpResponse:
    """The photos of the album, in its order."""
    if request.method == "POST":
        return redirect(link)
    form, photos = inside(link)
    found = paging.page(
        photos,
        form.order,
        size=PHOTOS_PER_PAGE,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    headings = "month" if form.is_by_date else ""
    context = {
        "link": link,
        "album": link.album,
        "count": len(photos.selection),
        "page": found,
        "tiles": shown_tiles(link, found.rows, headings, request.GET.get("shown", "")),
        "shown": heading(found.rows[-1]) if found.rows and headings else "",
        "form": form,
    }
    if request.headers.get("HX-Target") == "photo-tiles":
        return render(request, "gallery/_shared_more.html", context)
    if not request.GET:
        link.count_visit()
    return render(request, "gallery/shared.html", context)


def inside(link: ShareLink) -> tuple[BrowseForm, catalogue.Selected]:
    """Return the album's view and its photos; nothing a visitor sends changes either."""
    form = BrowseForm(QueryDict(f"album={link.album_id}"))
    every = Selection.all(catalogue.soon())
    photos = form.select(every, AnonymousUser())  # type: ignore[arg-type]
    return form, catalogue.Selected(photos, Photo.objects.live().for_tiles())


def shown_tiles(
    link: ShareLink, photos: list[Photo], headings: str, shown: str
) -> Iterator[Tile]:
    """Yield tiles whose addresses all lie beneath the link's own."""
    root = link.get_absolute_url().rstrip("/")
    for tile in tiles(photos, headings=headings, shown=shown):
        yield replace(
            tile,
            address=root + tile.address,
            image=root + tile.image if tile.image else "",
            srcset=tile.srcset.replace("/photo/", f"{root}/photo/"),
            star_address="",
        )


@require_safe
@by_link
def shared_zip(request: HttpRequest, link: ShareLink) -> HttpResponseBase:
    """All originals of the album at once, if the link offers that."""
    if not (link.offers_zip and link.offers_originals):
        return gone(request, status=404)
    form, photos = inside(link)
    count = len(photos.selection)
    packed = packing.pack(photos.beside(form.order, None, size=count, backwards=False))
    return together.zipped(packed, zips.safe(f"{link.album.title}.zip"))


# One photo


def of_album(view: View) -> View:
    """Refuse a photo that is not, or not any more, shown in the album of the link."""

    @require_safe
    @by_link
    @wraps(view)
    def guarded(
        request: HttpRequest, link: ShareLink, photo_id: int
    ) -> HttpResponseBase:
        columns = catalogue.soon()
        if photo_id not in albums.contents(link.album, columns).pks:
            return gone(request, status=404)
        return view(request, link, photo_id)

    return guarded


@of_album
def shared_photo(request: HttpRequest, link: ShareLink, photo_id: int) -> HttpResponse:
    form, photos = inside(link)
    photo = Photo.objects.select_related("thumbnail").get(pk=photo_id)
    context = {
        "link": link,
        "root": link.get_absolute_url(),
        "photo": photo,
        "ratio": ratio(photo.width, photo.height),
        "facts": shared_facts(photo, with_place=link.shows_place),
        "previous": paging.neighbour(photos, form.order, photo, backwards=True),
        "next": paging.neighbour(photos, form.order, photo),
    }
    return render(request, "gallery/shared_photo.html", context)


@of_album
def shared_about(request: HttpRequest, link: ShareLink, photo_id: int) -> HttpResponse:
    """What the lightbox shows a guest beside the picture."""
    photo = Photo.objects.select_related("thumbnail").get(pk=photo_id)
    context = {
        "link": link,
        "root": link.get_absolute_url(),
        "photo": photo,
        "facts": shared_facts(photo, with_place=link.shows_place),
    }
    return render(request, "gallery/_shared_about.html", context)


@of_album
def shared_around(request: HttpRequest, link: ShareLink, photo_id: int) -> JsonResponse:
    """The photos around one, as far as the lightbox of a guest may show them."""
    form, photos = inside(link)
    photo = Photo.objects.get(pk=photo_id)
    first, rows = around(photos.selection, form.order, photo) or (0, [])
    slides = [shared_slide(link, slide(one, query="", starred=set())) for one in rows]
    return JsonResponse(
        {"count": len(photos.selection), "first": first, "slides": slides}
    )


def shared_slide(link: ShareLink, slide: dict[str, Any]) -> dict[str, Any]:
    """Return a slide whose addresses lie beneath the link's own, with what it offers."""
    root = link.get_absolute_url().rstrip("/")
    names = ("address", "thumbnail", "preview", "original", "download")
    told = slide | {name: root + slide[name] for name in names if slide[name]}
    if not link.offers_originals:
        width, height = preview_size(slide["width"], slide["height"])
        told |= {"original": "", "download": "", "width": width, "height": height}
        if link.offers_copies and slide["preview"]:
            told["download"] = f"{told['address']}copy.jpg"
    return told


@of_album
def shared_thumbnail(
    request: HttpRequest, link: ShareLink, photo_id: int
) -> HttpResponseBase:
    return files.thumbnail(request, photo_id)


@of_album
def shared_small(
    request: HttpRequest, link: ShareLink, photo_id: int
) -> HttpResponseBase:
    return files.small(request, photo_id)


@of_album
def shared_preview(
    request: HttpRequest, link: ShareLink, photo_id: int
) -> HttpResponseBase:
    return files.preview(request, photo_id)


@of_album
def shared_copy(
    request: HttpRequest, link: ShareLink, photo_id: int
) -> HttpResponseBase:
    """The web-size copy, if the link offers it: pixels only, no place and no camera."""
    if not link.offers_copies:
        return gone(request, status=404)
    answer = files.preview(request, photo_id)
    if answer.status_code in (200, 206):
        name = Photo.objects.values_list("name", flat=True).get(pk=photo_id)
        saved = plain(f"{PurePath(name).stem}.jpg")
        disposition = content_disposition_header(as_attachment=True, filename=saved)
        answer["Content-Disposition"] = disposition or "attachment"
    return answer


@of_album
def shared_original(
    request: HttpRequest, link: ShareLink, photo_id: int
) -> HttpResponseBase:
    if not link.offers_originals:
        return gone(request, status=404)
    return files.original(request, photo_id)
