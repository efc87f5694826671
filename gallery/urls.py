from django.urls import path

from gallery.views import together
from gallery.views.albums import (
    add_to_album,
    album,
    album_cover,
    albums,
    arrange_album,
    delete_album,
    edit_album,
    new_album,
    put_back,
    take_out,
)
from gallery.views.around import around
from gallery.views.browse import browse, timeline
from gallery.views.claims import begin, forget, known
from gallery.views.containment import contained
from gallery.views.drives import (
    backup_gone,
    certificate,
    certificate_entries,
    drive,
    drive_folder,
    drive_gone,
    drive_picture,
    drives,
    edit_drive,
)
from gallery.views.favourites import favourite
from gallery.views.files import original, preview, small, thumbnail, websize
from gallery.views.kept import kept_file, kept_files, kept_original, photo_film
from gallery.views.outlook import outlook, restore_all
from gallery.views.photo import about, photo
from gallery.views.shared import (
    shared,
    shared_about,
    shared_around,
    shared_copy,
    shared_original,
    shared_photo,
    shared_preview,
    shared_small,
    shared_thumbnail,
    shared_zip,
)
from gallery.views.shares import revoke_link, share_album
from gallery.views.transfers import create, transfer
from gallery.views.trash import delete, restore, restore_some, trash
from gallery.views.upload import check, several, upload

app_name = "gallery"
urlpatterns = [
    path("", browse, name="browse"),
    path("timeline/", timeline, name="timeline"),
    path("albums/", albums, name="albums"),
    path("albums/new/", new_album, name="new_album"),
    path("albums/add/", add_to_album, name="add_to_album"),
    path("albums/<int:album_id>/", album, name="album"),
    path("albums/<int:album_id>/edit/", edit_album, name="edit_album"),
    path("albums/<int:album_id>/take-out/", take_out, name="take_out"),
    path("albums/<int:album_id>/put-back/", put_back, name="put_back"),
    path("albums/<int:album_id>/cover/", album_cover, name="album_cover"),
    path("albums/<int:album_id>/arrange/", arrange_album, name="arrange_album"),
    path("albums/<int:album_id>/delete/", delete_album, name="delete_album"),
    path("albums/<int:album_id>/share/", share_album, name="share_album"),
    path(
        "albums/<int:album_id>/share/<int:link_id>/revoke/",
        revoke_link,
        name="revoke_link",
    ),
    # Without a login, for who has the token; everything a link leads to lies beneath it.
    path("s/<str:token>/", shared, name="shared"),
    path("s/<str:token>/all.zip", shared_zip, name="shared_zip"),
    path("s/<str:token>/photo/<int:photo_id>/", shared_photo, name="shared_photo"),
    path(
        "s/<str:token>/photo/<int:photo_id>/about/", shared_about, name="shared_about"
    ),
    path(
        "s/<str:token>/photo/<int:photo_id>/around/",
        shared_around,
        name="shared_around",
    ),
    path(
        "s/<str:token>/photo/<int:photo_id>/thumbnail.jpg",
        shared_thumbnail,
        name="shared_thumbnail",
    ),
    path(
        "s/<str:token>/photo/<int:photo_id>/small.webp",
        shared_small,
        name="shared_small",
    ),
    path(
        "s/<str:token>/photo/<int:photo_id>/preview.jpg",
        shared_preview,
        name="shared_preview",
    ),
    path(
        "s/<str:token>/photo/<int:photo_id>/copy.jpg", shared_copy, name="shared_copy"
    ),
    path(
        "s/<str:token>/photo/<int:photo_id>/original",
        shared_original,
        name="shared_original",
    ),
    path("upload/", upload, name="upload"),
    path("upload/begin/", begin, name="begin"),
    path("upload/known/", known, name="known"),
    path("upload/several/", several, name="several"),
    path("upload/check/", check, name="check"),
    path("upload/files/", create, name="transfers"),
    path("upload/files/<str:transfer_id>/", transfer, name="transfer"),
    path("upload/files/<str:transfer_id>/forget/", forget, name="forget"),
    path("drives/", drives, name="drives"),
    path("drives/backups/<int:backup_id>/gone/", backup_gone, name="backup_gone"),
    path("drives/<int:source_id>/", drive, name="drive"),
    path("drives/<int:source_id>/edit/", edit_drive, name="edit_drive"),
    path("drives/<int:source_id>/picture.jpg", drive_picture, name="drive_picture"),
    path("drives/<int:source_id>/gone/", drive_gone, name="drive_gone"),
    path("drives/<int:source_id>/folder/", drive_folder, name="drive_folder"),
    path("drives/<int:source_id>/contained/", contained, name="contained"),
    path(
        "drives/<int:source_id>/certificates/<int:certificate_id>/",
        certificate,
        name="certificate",
    ),
    path(
        "drives/<int:source_id>/certificates/<int:certificate_id>/entries",
        certificate_entries,
        name="certificate_entries",
    ),
    path("files/", kept_files, name="kept_files"),
    path("files/<int:kept_id>/", kept_file, name="kept"),
    path("files/<int:kept_id>/original", kept_original, name="kept_original"),
    path("trash/", trash, name="trash"),
    path("trash/outlook/", outlook, name="outlook"),
    path("trash/restore/", restore_some, name="restore_some"),
    path("trash/restore-all/", restore_all, name="restore_all"),
    path("trash/undo/<int:moment>/", together.unthrow, name="unthrow"),
    path("chosen/download/", together.download, name="download_chosen"),
    path("chosen/favourite/", together.favourites, name="favourite_chosen"),
    path("chosen/trash/", together.throw, name="throw_chosen"),
    path("chosen/date/", together.correct, name="correct_chosen"),
    path("date/<int:correction_id>/undo/", together.uncorrect, name="uncorrect"),
    path("photo/<int:photo_id>/", photo, name="photo"),
    path("photo/<int:photo_id>/about/", about, name="about"),
    path("photo/<int:photo_id>/around/", around, name="around"),
    path("photo/<int:photo_id>/delete/", delete, name="delete"),
    path("photo/<int:photo_id>/date/", together.choose_date, name="choose_date"),
    path(
        "photo/<int:photo_id>/date/<int:row_id>/undo/",
        together.uncorrect_one,
        name="uncorrect_one",
    ),
    path("photo/<int:photo_id>/favourite/", favourite, name="favourite"),
    path("photo/<int:photo_id>/restore/", restore, name="restore"),
    path("photo/<int:photo_id>/thumbnail.jpg", thumbnail, name="thumbnail"),
    path("photo/<int:photo_id>/small.webp", small, name="small"),
    path("photo/<int:photo_id>/preview.jpg", preview, name="preview"),
    path("photo/<int:photo_id>/original", original, name="original"),
    path("photo/<int:photo_id>/film.mp4", photo_film, name="photo_film"),
    path("photo/<int:photo_id>/web.jpg", websize, name="websize"),
]
