"""Sharing an album: making links to it, and calling them back."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from gallery.forms import ShareForm
from gallery.models import Album, ShareLink
from gallery.views.albums import changeable

shares = permission_required("gallery.add_sharelink", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@shares
def share_album(request: HttpRequest, album_id: int) -> HttpResponse:
    """The links to an album that lead in now; a POST makes another."""
    album = changeable(request, album_id)
    form = ShareForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        make_link(album, form, request)
        messages.success(request, _("The link is ready: copy it and send it."))
        return redirect("gallery:share_album", album.pk)
    links = ShareLink.objects.open().filter(album=album).select_related("made_by")
    context = {
        "album": album,
        "form": form,
        "links": [
            {"link": link, "url": request.build_absolute_uri(link.get_absolute_url())}
            for link in links.order_by("-pk")
        ],
    }
    return render(request, "gallery/share_album.html", context)


def make_link(album: Album, form: ShareForm, request: HttpRequest) -> ShareLink:
    said = form.cleaned_data
    days = said["days"]
    link = ShareLink(
        album=album,
        made_by=request.user,  # type: ignore[misc]
        name=said["name"],
        expires_at=timezone.now() + timedelta(days=days) if days else None,
        offers_copies=said["offers_copies"],
        offers_originals=said["offers_originals"],
        offers_zip=said["offers_zip"],
        shows_place=said["shows_place"],
    )
    link.protect(said["password"])
    link.save()
    return link


@require_POST
@shares
def revoke_link(request: HttpRequest, album_id: int, link_id: int) -> HttpResponse:
    album = changeable(request, album_id)
    link = get_object_or_404(ShareLink, album=album, pk=link_id)
    link.revoke()
    messages.success(request, _("This link leads nowhere any more."))
    return redirect("gallery:share_album", album.pk)
