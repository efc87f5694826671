"""Libraries of photo programs: originals, edited versions and previews told apart."""

import os

import pytest
from django.urls import reverse

from gallery import versions
from gallery.certifying import verify_drive
from gallery.importer import import_drive
from gallery.models import Outcome, Photo, SourceFile
from gallery.packages import Packages, Role
from tests import pictures

UUID = "A1B2C3D4-0000-4000-8000-0123456789AB"
# A file, the program and the role it should be found to have, and its original.
KNOWN = [
    (
        "iPhoto Library/Modified/2008/Roll 12/IMG_1.jpg",
        ("iPhoto", Role.EDITED),
        "iPhoto Library/Originals/2008/Roll 12/IMG_1.JPG",
    ),
    (
        "iPhoto Library/Data/2008/Roll 12/IMG_1.jpg",
        ("iPhoto", Role.PREVIEW),
        "iPhoto Library/Originals/2008/Roll 12/IMG_1.JPG",
    ),
    (
        "Old iPhoto Library/2005/07/21/P1.JPG",
        ("iPhoto", Role.EDITED),
        "Old iPhoto Library/2005/07/21/Originals/P1.JPG",
    ),
    (
        "a/Ours.aplibrary/Previews/2012/06/14/20120614-1/x%y/DSC_2.jpg",
        ("Aperture", Role.EDITED),
        "a/Ours.aplibrary/Masters/2012/06/14/20120614-1/DSC_2.NEF",
    ),
    (
        "a/Ours.aplibrary/Thumbnails/2012/06/14/20120614-1/x/thumb_DSC_2_1024.jpg",
        ("Aperture", Role.PREVIEW),
        "a/Ours.aplibrary/Masters/2012/06/14/20120614-1/DSC_2.NEF",
    ),
    (
        f"P.photoslibrary/resources/renders/A/{UUID}_1_201_a.jpeg",
        ("Photos", Role.EDITED),
        f"P.photoslibrary/originals/A/{UUID}.heic",
    ),
    (
        f"P.photoslibrary/resources/derivatives/masters/A/{UUID}_4_5005_c.jpeg",
        ("Photos", Role.PREVIEW),
        f"P.photoslibrary/originals/A/{UUID}.heic",
    ),
    (
        "Ferien/@eaDir/b.jpg/SYNOPHOTO_THUMB_XL.jpg",
        ("Synology", Role.PREVIEW),
        "Ferien/b.jpg",
    ),
    (".@__thumb/s1002004.jpg", ("QNAP", Role.PREVIEW), "2004.jpg"),
    ("Ferien/b.jpg", ("Picasa", Role.EDITED), "Ferien/.picasaoriginals/b.jpg"),
    ("b.jpg", ("Picasa", Role.EDITED), ".picasaoriginals/b.jpg"),
]


@pytest.fixture
def root(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def put(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("path", "expected", "original"), KNOWN)
def test_a_version_is_told_only_beside_its_original(
    path, expected, original, tmp_path, root
):
    put(tmp_path / path)
    assert Packages(root).version(path) is None
    put(tmp_path / original, b"")
    assert Packages(root).version(path) is None
    put(tmp_path / original)
    found = Packages(root).version(path)
    assert (found.program, found.role) == expected
    assert found.original == original
    assert Packages(root).version(original) is None


def test_a_folder_of_originals_alone_says_nothing(tmp_path, root):
    put(tmp_path / "a/Originals/1.jpg")
    put(tmp_path / "a/1.jpg")
    assert Packages(root).version("a/1.jpg") is None
    put(tmp_path / "a/Picasa.ini")
    put(tmp_path / "a/.picasa.ini")
    assert Packages(root).version("a/1.jpg").program == "Picasa"


def picture(seed, **options):
    return pictures.jpeg(pictures.scene(seed=seed, size=(96, 64)), **options)


@pytest.mark.django_db(transaction=True)
def test_edited_versions_are_tied_and_previews_are_junk(tmp_path, vault):
    library = tmp_path / "drive" / "iPhoto Library"
    put(library / "Originals/2008/Roll 1/IMG_1.JPG", picture(1))
    put(library / "Modified/2008/Roll 1/IMG_1.JPG", picture(1, quality=40))
    put(library / "Data/2008/Roll 1/IMG_1.jpg", picture(1, quality=10))
    put(library / "Data/2008/Roll 1/IMG_2.jpg", picture(2, quality=10))
    drive = library.parent
    report = import_drive(drive, label="Old Mac")
    # IMG_2 is all there is of its photo.
    assert report.outcomes == {"imported": 3, "junk": 1}
    rows = {row.path.partition("/")[2]: row for row in SourceFile.objects.all()}
    junk = rows["Data/2008/Roll 1/IMG_1.jpg"]
    original = "iPhoto Library/Originals/2008/Roll 1/IMG_1.JPG"
    assert (junk.outcome, junk.reason) == (
        Outcome.JUNK,
        f"iPhoto, preview of {original}",
    )
    edited = rows["Modified/2008/Roll 1/IMG_1.JPG"].photo
    first = rows["Originals/2008/Roll 1/IMG_1.JPG"].photo
    (tie,) = versions.ties(edited)
    assert (tie.photo, tie.is_original) == (first, True)
    assert tie.reason == f"edited in iPhoto from {original}"
    (back,) = versions.ties(first)
    assert (back.photo, back.is_original) == (edited, False)
    assert verify_drive(drive, label="Old Mac").certificate.is_safe
    again = import_drive(drive, label="Old Mac")
    assert again.outcomes == {"already_known": 3, "junk": 1}
    # Without its original the preview is the only picture of it on this drive.
    (drive / original).unlink()
    assert not verify_drive(drive, label="Old Mac").certificate.is_safe
    assert import_drive(drive, label="Old Mac").outcomes["imported"] == 1
    assert verify_drive(drive, label="Old Mac").certificate.is_safe
    assert Photo.objects.count() == 4


@pytest.mark.django_db
def test_the_page_of_a_photo_leads_to_its_original(tmp_path, vault, admin_client):
    put(tmp_path / "drive/.picasaoriginals/a.jpg", picture(1))
    put(tmp_path / "drive/a.jpg", picture(1, quality=40))
    import_drive(tmp_path / "drive")
    edited = SourceFile.objects.get(path="a.jpg").photo
    first = SourceFile.objects.get(path=".picasaoriginals/a.jpg").photo
    page = admin_client.get(reverse("gallery:photo", args=[edited.pk]))
    assert f'href="{first.get_absolute_url()}"' in page.content.decode()
    german = {"headers": {"accept-language": "de"}}
    page = admin_client.get(reverse("gallery:photo", args=[edited.pk]), **german)
    assert "Bearbeitet in Picasa aus .picasaoriginals/a.jpg" in page.content.decode()
