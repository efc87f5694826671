"""Small files beside photos: whose they are, what they say, and that they are kept."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery import sidecars
from gallery.certifying import verify_drive
from gallery.dates import Evidence, Origin, Precision
from gallery.importer import import_drive
from gallery.models import KeptFile, Outcome, Photo, SourceFile
from gallery.sidecars import Kind, owners
from tests import pictures

BERLIN = ZoneInfo("Europe/Berlin")
LONG = "Ein sehr langer Name eines Fotos vom Strand auf Mallorca"
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="4"
exif:DateTimeOriginal="2009-07-14T10:30:00+02:00" exif:GPSLatitude="39,34.5N"
exif:GPSLongitude="2,39,0E"><dc:description><rdf:Alt><rdf:li>On the beach</rdf:li>
<rdf:li>Am Strand</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF>
</x:xmpmeta>"""
TAKEOUT = {
    "title": "a.jpg",
    "description": "Oma",
    "photoTakenTime": {"timestamp": "1247560200"},
    "geoData": {"latitude": 0.0, "longitude": 0.0},
    "geoDataExif": {"latitude": 39.5, "longitude": 2.5},
    "favorited": True,
}


@pytest.mark.parametrize(
    ("photo", "note"),
    [
        ("a.jpg", "a.jpg.json"),
        ("a.jpg", "a.jpg.supplemental-metadata.json"),
        ("a.jpg", "a.jpg.supplemental-me.json"),
        ("a.jpg", "a.jpg.s.json"),
        ("a.jpg", "a.jpg.metadati-supplementari.json"),
        ("a(1).jpg", "a.jpg(1).json"),
        ("a(1).jpg", "a.jpg.supplemental-metadata(1).json"),
        ("a-edited.jpg", "a.jpg.json"),
        ("a-bearbeitet(2).jpg", "a.jpg(2).json"),
        ("A.JPG", "a.jpg.json"),
        ("a.jpg", "a.json"),
        (f"{LONG[:47]}.jpg", f"{LONG[:46]}.json"),
        ("IMG_0412.CR2", "IMG_0412.xmp"),
        ("IMG_0412.JPG", "IMG_0412.JPG.xmp"),
        ("IMG_0412.HEIC", "IMG_0412.AAE"),
        ("IMG_0412.HEIC", "IMG_O0412.aae"),
        ("MVI_0412.AVI", "MVI_0412.THM"),
    ],
)
def test_a_note_is_found_for_its_photo_and_for_no_other(photo, note):
    others = ["b.jpg", "aa.jpg", "a(3).jpg", "IMG_0413.JPG", "IMG_04.JPG"]
    assert owners([photo, *others], [note]) == {note: [photo]}


def test_of_two_the_better_is_taken_and_edited_versions_share_one():
    found = owners(
        ["a.jpg", "a(1).jpg", "a-edited.jpg"], ["a.json", "a.jpg.json", "a.jpg(1).json"]
    )
    assert found == {"a.jpg.json": ["a-edited.jpg", "a.jpg"], "a.jpg(1).json": ["a(1).jpg"]}  # fmt: skip
    assert owners(["x.jpg", "x.dng"], ["x.xmp"]) == {"x.xmp": ["x.dng"]}
    assert owners(["x.jpg", "x.dng"], ["x.jpg.xmp"]) == {"x.jpg.xmp": ["x.jpg"]}


@given(st.lists(st.text(max_size=20)), st.lists(st.text(max_size=60)))
def test_no_name_breaks_the_matching(names, notes):
    notes = [f"{note}.json" for note in notes]
    found = owners(names, notes)
    assert found.keys() <= set(notes)


def test_what_lightroom_and_google_wrote_is_read():
    note = sidecars.read(Kind.XMP, XMP, zone=BERLIN)
    moment = datetime(2009, 7, 14, 10, 30)
    assert note.dates == (Evidence(moment, Precision.SECOND, Origin.SIDECAR, 120),)
    assert (note.rating, note.description) == (4, "On the beach")
    assert (note.latitude, note.longitude) == (39.575, 2.65)
    note = sidecars.read(Kind.TAKEOUT, json.dumps(TAKEOUT).encode(), zone=BERLIN)
    assert note.dates == (Evidence(moment, Precision.DAY, Origin.TAKEOUT),)
    assert (note.latitude, note.description, note.is_favourite) == (39.5, "Oma", True)


@given(st.binary(max_size=200), st.sampled_from(Kind))
def test_no_content_breaks_the_reader(content, kind):
    sidecars.kind(f"x.{kind}", content)
    sidecars.read(kind, content, zone=BERLIN)
    sidecars.read(Kind.TAKEOUT, json.dumps({"photoTakenTime": 7}).encode(), zone=BERLIN)


@pytest.mark.django_db
def test_notes_are_kept_tied_and_date_their_photos(tmp_path, vault, admin_client):
    drive, album = tmp_path / "drive", "Takeout/Google Photos/Mallorca"
    for number in (1, 2):
        (drive / f"takeout-{number}" / album).mkdir(parents=True)
    photo = drive / "takeout-1" / album / "a.jpg"
    photo.write_bytes(pictures.jpeg(pictures.scene(seed=1, size=(48, 32))))
    # In the second archive of the set.
    note = drive / "takeout-2" / album / "a.jpg.json"
    note.write_text(json.dumps(TAKEOUT))
    (drive / "other.json").write_text("{}")
    report = import_drive(drive)
    assert report.outcomes == {"imported": 1, "sidecar": 1, "not_a_photo": 1}
    kept = KeptFile.objects.get()
    stored = next((vault / "originals").rglob(f"{kept.digest}.json"))
    assert stored.read_bytes() == note.read_bytes()
    known = Photo.objects.get()
    assert (known.taken_at, known.taken_from) == (
        datetime(2009, 7, 14, 10, 30),
        "takeout",
    )
    assert (known.taken_precision, known.latitude) == ("day", 39.5)
    assert SourceFile.objects.get(outcome=Outcome.SIDECAR).reason == "a.jpg"
    page = admin_client.get(known.get_absolute_url()).content.decode()
    assert "Google Photos noted when it was taken, to the day." in page
    assert "Oma" in page and "A favourite in Google Photos" in page
    assert import_drive(drive).outcomes["sidecar"] == 1
    (drive / "other.json").unlink()
    verdict = verify_drive(drive).certificate
    assert (verdict.is_safe, verdict.states["kept"]["count"]) == (True, 2)
