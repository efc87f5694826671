"""Dates of scanners and editors say only by when a photo was there."""

from datetime import datetime

import pytest

from gallery import liars
from gallery.dates import Doubt, Evidence, Origin, Precision

CAMERA = {"make": "Canon", "model": "EOS 5D", "exposure_seconds": 0.01, "software": ""}


def exif(origin: Origin, year: int = 2011) -> Evidence:
    return Evidence(datetime(year, 3, 4, 5, 6, 7), Precision.SECOND, origin)


@pytest.mark.parametrize(
    ("facts", "origin", "precision"),
    [
        (CAMERA, Origin.EXIF_ORIGINAL, "second"),
        (CAMERA, Origin.EXIF_MODIFIED, "second"),
        (CAMERA | {"software": "Adobe Photoshop CS2"}, Origin.EXIF_MODIFIED, "latest"),
        (CAMERA | {"software": "Adobe Photoshop CS2"}, Origin.EXIF_ORIGINAL, "second"),
        ({"make": "EPSON", "model": "Perfection V600"}, Origin.EXIF_ORIGINAL, "latest"),
        ({"make": "EPSON", "model": "PhotoPC 850"}, Origin.EXIF_ORIGINAL, "second"),
        ({"software": "VueScan 9"}, Origin.EXIF_DIGITISED, "latest"),
        ({}, Origin.EXIF_MODIFIED, "latest"),
        # A person dated the scan.
        ({"make": "EPSON", "model": "Perfection V600"}, Origin.XMP, "second"),
    ],
)
def test_each_date_is_as_exact_as_its_maker_deserves(facts, origin, precision):
    (found,) = liars.honest([exif(origin)], facts)
    assert found.precision == precision


def test_what_a_digital_camera_wrote_before_there_were_any_is_its_unset_clock():
    (found,) = liars.honest([exif(Origin.EXIF_ORIGINAL, 1987)], CAMERA)
    assert found.doubt == Doubt.CLOCK
    scan = {"make": "EPSON", "model": "Perfection V600"}
    (dated,) = liars.honest([exif(Origin.EXIF_ORIGINAL, 1987)], scan)
    assert (dated.doubt, dated.precision) == (Doubt.NONE, Precision.SECOND)
