"""What the names of folders say of when their photos were taken."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.dates import Origin, span
from gallery.folder_names import from_folders

NOW = datetime(2026, 11, 22, 12, 0)


@pytest.mark.parametrize(
    ("folder", "day", "precision"),
    [
        ("2009-07 Mallorca", "2009-07-01", "month"),
        ("Xmas 98", "1998-12-01", "month"),
        ("Sommer 1987", "1987-06-01", "season"),
        ("Weihnachten 2003", "2003-12-01", "month"),
        ("2009/07", "2009-07-01", "month"),
        ("2009/07 Juli", "2009-07-01", "month"),
        ("2009/Juli", "2009-07-01", "month"),
        ("2009/August Müller", "2009-01-01", "year"),
        ("2009-07-14", "2009-07-14", "day"),
        ("2009/2009-07-14", "2009-07-14", "day"),
        ("14.07.2009", "2009-07-14", "day"),
        ("2009-07-14 Mallorca", "2009-07-01", "month"),
        ("2009-07-28 Mallorca", "2009-01-01", "year"),
        ("2009-07-10 - 2009-07-20", "2009-07-01", "month"),
        ("2009.07.14 - 2009.08.02 Tour", "2009-01-01", "year"),
        ("2009-07 M/edited", "2009-07-01", "month"),
        ("2009-07 M/2009", "2009-07-01", "month"),
        ("Backup 2011", "2011-12-31", "latest"),
        ("Backup 2011/2009-07 M", "2009-07-01", "month"),
        ("2009-07 M/Backup 2011", "2009-07-01", "month"),
        ("1980s", "1980-01-01", "decade"),
        ("1980er Jahre", "1980-01-01", "decade"),
        ("2003-2005", "2000-01-01", "decade"),
        ("Winter 2003-04", "2003-12-01", "season"),
        ("Winter 2003", "2003-01-01", "year"),
        ("Urlaub '05", "2005-01-01", "year"),
        ("Juli 04", "2004-07-01", "month"),
        ("Ostern 2005", "2005-03-01", "season"),
        ("20190704", "2019-07-04", "day"),
        ("201907__", "2019-07-01", "month"),
        ("2009 5 Freunde", "2009-01-01", "year"),
    ],
)
def test_folders_as_families_name_them(folder, day, precision):
    found = from_folders(f"{folder}/IMG_0412.JPG", now=NOW)
    assert found and found.origin == Origin.FOLDER_NAME
    assert (f"{found.taken_at:%Y-%m-%d}", found.precision) == (day, precision)
    assert found.said in folder


@pytest.mark.parametrize(
    "folder",
    ["", "DCIM/100CANON", "100_0714", "IMG 4711", "2100 stars", "1998-2009", "a2009b1"],
)
def test_other_folders_say_nothing(folder):
    assert from_folders(f"{folder}/2009-07-14.jpg", now=NOW) is None


@given(st.text(max_size=60))
def test_no_folder_breaks_the_reader(path):
    found = from_folders(f"{path}/x.jpg", now=NOW)
    if found:
        first, last = span(found)
        assert first <= found.taken_at <= last
