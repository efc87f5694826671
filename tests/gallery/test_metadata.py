"""What a file says about itself, however broken."""

import json
import struct
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from gallery import metadata, tiff, xmp
from gallery.dates import Evidence, Origin, Precision
from gallery.decoding import Unreadable
from gallery.metadata import Metadata
from tests import pictures


@pytest.fixture
def read(tmp_path: Path):
    def read(data: bytes) -> Metadata:
        path = tmp_path / "photo"
        path.write_bytes(data)
        return metadata.read(path)

    return read


def photo(**tags) -> bytes:
    return pictures.jpeg(pictures.scene(), exif=pictures.exif(**tags))


def test_camera_and_exposure(read):
    found = read(
        photo(
            make="NIKON CORPORATION\0 ",
            model="  NIKON D7200",
            software="Ver.1.00",
            more_exif={
                0x829A: 1 / 250,
                0x829D: 5.6,
                0x8827: 400,
                0x920A: 35.0,
                0x9209: 0x19,
                0xA434: "18-105mm",
                0xA431: "4711",
                0x927C: b"Nikon\0\2",
            },
        )
    )
    assert (found.make, found.model) == ("NIKON CORPORATION", "NIKON D7200")
    assert (found.software, found.lens) == ("Ver.1.00", "18-105mm")
    assert (found.exposure_seconds, found.f_number) == (0.004, 5.6)
    assert (found.iso, found.focal_length, found.flash) == (400, 35.0, True)
    assert (found.body_serial, found.has_maker_note) == ("4711", True)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_is_as_seen_upright(read, orientation):
    found = read(photo(orientation=orientation))
    assert found.orientation == orientation
    assert (found.width > found.height) == (orientation <= 4)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_every_format_gives_its_exif(read, format):
    block = pictures.exif(taken=datetime(2004, 7, 12, 9, 30), position=(41.5, -2.25))
    data = pictures.encoded(pictures.scene(), format=format, exif=block)
    found = read(data)
    assert found.dates[0].taken_at == datetime(2004, 7, 12, 9, 30)
    assert (found.latitude, found.longitude) == (41.5, -2.25)


def test_all_dates_are_kept_as_evidence(read):
    found = read(
        photo(
            taken="2019:07:04 15:30:12",
            digitised="2019:07:04 15:30:13",
            modified="2020:01:02 03:04:05",
            subsecond="25",
            offset="+02:00",
        )
    )
    assert [one.origin for one in found.dates] == [
        Origin.EXIF_ORIGINAL,
        Origin.EXIF_DIGITISED,
        Origin.EXIF_MODIFIED,
    ]
    assert found.dates[0] == Evidence(
        datetime(2019, 7, 4, 15, 30, 12, 250_000),
        Precision.SECOND,
        Origin.EXIF_ORIGINAL,
        120,
    )
    assert found.dates[1].offset_minutes is None


@pytest.mark.parametrize(
    ("position", "kept"),
    [((0.0, 0.0), False), ((-33.9, 18.4), True), ((91.0, 10.0), False)],
)
def test_impossible_positions_are_none(read, position, kept):
    found = read(photo(position=position))
    expected = pytest.approx(position) if kept else (None, None)
    assert (found.latitude, found.longitude) == expected


@pytest.mark.parametrize("quality", [20, 50, 75, 85, 92, 98])
def test_jpeg_quality_is_read_off_its_tables(read, quality):
    assert (
        read(pictures.jpeg(pictures.scene(), quality=quality)).jpeg_quality == quality
    )


def test_frames_and_colour_profile(read):
    scenes = [pictures.scene(seed=seed, size=(60, 40)) for seed in range(3)]
    film = pictures.encoded(
        scenes[0], format="GIF", save_all=True, append_images=scenes[1:]
    )
    assert read(film).frames == 3
    assert read(pictures.jpeg(scenes[0], icc=b"broken")).has_icc_profile


PACKET = b"""<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
<rdf:Description xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/'
  xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:CreateDate='2021-02-03T04:05:06Z'>
<photoshop:DateCreated>1975-08</photoshop:DateCreated>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""


def test_xmp_dates_the_photo_before_the_scan(read):
    found = read(pictures.jpeg(pictures.scene(), xmp=PACKET))
    assert found.dates == (Evidence(datetime(1975, 8, 1), Precision.MONTH, Origin.XMP),)


def test_xmp_entities_are_not_expanded():
    bomb = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>" + PACKET
    assert xmp.properties(bomb.replace(b"1975-08", b"&b;")) == {}


def test_a_broken_packet_yields_what_stands_before_the_break():
    cut = PACKET[: PACKET.index(b"<photoshop:Date")]
    assert xmp.properties(cut) == {"xmp:CreateDate": "2021-02-03T04:05:06Z"}


def test_dates_in_the_texts_of_a_png(read):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Creation Time", "2009:07:14 12:13:14")
    found = read(pictures.png(pictures.scene(), pnginfo=notes))
    assert found.dates[0].taken_at == datetime(2009, 7, 14, 12, 13, 14)


def test_exif_that_imagemagick_put_into_a_png(read):
    block = pictures.exif(taken="2004:07:12 09:30:00")
    notes = PngImagePlugin.PngInfo()
    profile = f"\nexif\n{len(block):8}\n{block.hex()}\n"
    notes.add_text("Raw profile type exif", profile, zip=True)
    found = read(pictures.png(pictures.scene(), pnginfo=notes))
    assert found.dates[0].taken_at == datetime(2004, 7, 12, 9, 30)


def test_texts_can_go_into_postgresql_and_json(read):
    found = read(photo(model="D\ud8007\x01", make="Caf\xe9"[:3] + "\0rest"))
    assert "\0" not in found.model + found.make
    json.dumps(found.to_json()).encode()


def test_metadata_survives_json(read):
    found = read(photo(taken="2019:07:04 15:30:12", position=(1, 2), make="Nikon"))
    assert Metadata.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_what_is_no_picture_is_unreadable(read):
    with pytest.raises(Unreadable, match="the file is empty"):
        read(b"")
    with pytest.raises(Unreadable, match="not a picture"):
        read(b"%PDF-1.4")


def test_a_missing_file_is_unreadable(tmp_path):
    with pytest.raises(Unreadable, match="cannot be read"):
        metadata.read(tmp_path / "gone.jpg")


WHOLE = pictures.exif(
    taken="2019:07:04 15:30:12", make="Nikon", position=(41.5, -2.25), subsecond="1"
)


@given(st.data())
@settings(max_examples=200)
def test_broken_exif_never_breaks_the_reader(tmp_path_factory, data):
    """Up to eight bytes anywhere in the block are overwritten."""
    block = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(6, len(block) - 1))
        block[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "broken.jpg"
    path.write_bytes(pictures.jpeg(Image.new("L", (8, 8)), exif=bytes(block)))
    found = metadata.read(path)
    json.dumps(found.to_json(), allow_nan=False).encode()


@given(st.binary(max_size=200))
def test_no_bytes_break_the_tag_reader(rest):
    found = tiff.parse(b"II*\0\x08\0\0\0" + rest)
    assert found
    found.directory()


def test_a_huge_count_is_bounded():
    entry = struct.pack("<HHII", 0x0110, 3, 0xFFFFFFFF, 26)
    data = b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(400)
    found = tiff.parse(data)
    assert found
    assert len(found.directory()[0x0110]) <= tiff.MAX_NUMBERS


REAL = [
    (
        "recurser+exif-orientation-examples/Landscape_6.jpg",
        lambda one: one.width > one.height and one.orientation == 6,
    ),
    (
        "thorsted+digicam_corpus/Apple/iPhone XR/IMG_3616.HEIC",
        lambda one: (
            one.model == "iPhone XR" and one.dates[0].offset_minutes is not None
        ),
    ),
    (
        "mindeng+nom-exif/testdata/canon-r6.cr3",
        lambda one: one.make == "Canon" and one.dates[0].origin == Origin.EXIF_ORIGINAL,
    ),
]


@pytest.mark.parametrize(("name", "holds"), REAL)
def test_real_files(shared_photos, name, holds):
    found = metadata.read(shared_photos / name)
    assert holds(found), found
