"""The bytes behind the pages: thumbnails, previews, originals."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery import formats, previews, renditions, smalls, vault
from gallery.models import Photo, Thumbnail
from gallery.serving import SAFE, plain, serve_original, serve_rendition
from gallery.websize import dated


@require_safe
def thumbnail(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    made = Photo.objects.select_related("thumbnail").filter(thumbnail__recipe__gt=0)
    photo = get_object_or_404(made, pk=photo_id)
    recipe = photo.thumbnail.recipe
    data = settings.IMAGEVAULT_DATA
    path = vault.rendition(data, photo.digest, name="thumbnail", recipe=recipe)
    if photo.is_stored and not path.is_file() and vault.identity(data):
        # Renditions may be thrown away at any time: the workers make them again.
        Thumbnail.objects.filter(pk=photo.pk).again()
    return serve_rendition(
        request,
        path,
        etag=f"{photo.digest}-thumbnail-{recipe}",
        is_versioned=request.GET.get("v") == photo.version(recipe),
    )


@require_safe
def small(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    """The small rendition; where it cannot be made, the thumbnail in its place."""
    made = Photo.objects.select_related("thumbnail").filter(thumbnail__recipe__gt=0)
    photo = get_object_or_404(made, pk=photo_id)
    try:
        path = smalls.small(photo)
    except smalls.NoSmall:
        return thumbnail(request, photo_id)
    recipe = photo.thumbnail.recipe
    return serve_rendition(
        request,
        path,
        etag=f"{photo.digest}-small-{recipe}",
        is_versioned=request.GET.get("v") == photo.version(recipe),
        mime="image/webp",
    )


@require_safe
def preview(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    photo = get_object_or_404(Photo.objects.stored(), pk=photo_id)
    try:
        path = previews.preview(photo)
    except (previews.NoPreview, previews.Busy) as error:
        return unmade(error)
    recipe = renditions.RECIPE
    return serve_rendition(
        request,
        path,
        etag=f"{photo.digest}-preview-{recipe}",
        is_versioned=request.GET.get("v") == photo.version(recipe),
    )


@require_safe
def original(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    photo = get_object_or_404(Photo, pk=photo_id)
    if not photo.is_stored:
        raise Http404("This photo was discarded, and its original is gone for good.")
    format = formats.BY_NAME.get(photo.format)
    return serve_original(
        request,
        vault.original(settings.IMAGEVAULT_DATA, photo.digest, photo.extension),
        digest=photo.digest,
        name=photo.name,
        mime=format.mime if format else "application/octet-stream",
    )


@require_safe
def websize(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    """A small copy to send on: the preview, with the day it was taken."""
    photo = get_object_or_404(Photo.objects.stored(), pk=photo_id)
    try:
        path = previews.preview(photo)
    except (previews.NoPreview, previews.Busy) as error:
        return unmade(error)
    content = dated(
        path.read_bytes(),
        photo.taken_at,
        photo.taken_precision,
        offset_minutes=photo.taken_offset,
    )
    name = f"{plain(photo.name).rpartition('.')[0] or photo.name} 2048.jpg"
    attachment = content_disposition_header(as_attachment=True, filename=name)
    headers = SAFE | {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": attachment or "attachment",
    }
    return HttpResponse(content, content_type="image/jpeg", headers=headers)


def unmade(error: Exception) -> HttpResponse:
    """Say why there is no preview, or that there is none yet."""
    if isinstance(error, previews.NoPreview):
        return HttpResponse(str(error), status=422, content_type="text/plain")
    return HttpResponse(
        _("Other photos are being made ready. Try again in a moment."),
        status=503,
        headers={"Retry-After": "10", "Content-Type": "text/plain"},
    )
