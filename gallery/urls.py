from django.urls import path

from gallery.views.browse import browse, timeline
from gallery.views.favourites import favourite
from gallery.views.files import original, preview, thumbnail
from gallery.views.photo import photo
from gallery.views.trash import restore, trash
from gallery.views.upload import upload

app_name = "gallery"
urlpatterns = [
    path("", browse, name="browse"),
    path("timeline/", timeline, name="timeline"),
    path("upload/", upload, name="upload"),
    path("trash/", trash, name="trash"),
    path("photo/<int:photo_id>/", photo, name="photo"),
    path("photo/<int:photo_id>/favourite/", favourite, name="favourite"),
    path("photo/<int:photo_id>/restore/", restore, name="restore"),
    path("photo/<int:photo_id>/thumbnail.jpg", thumbnail, name="thumbnail"),
    path("photo/<int:photo_id>/preview.jpg", preview, name="preview"),
    path("photo/<int:photo_id>/original", original, name="original"),
]
