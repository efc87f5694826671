"""Enrolling photos, and finding those that were left out."""

import pytest

from dedup import scan
from dedup.models import Fingerprint
from tests.dedup import rows

pytestmark = pytest.mark.django_db


def test_photos_are_enrolled_once():
    rows.bare_photo(1)
    assert (scan.enrol(), scan.enrol()) == (1, 0)
    rows.bare_photo(2)
    assert scan.enrol() == 1


def test_a_sweep_finds_a_photo_that_a_backup_brought_back():
    first, second = rows.bare_photo(1), rows.bare_photo(2)
    scan.enrol()
    Fingerprint.objects.filter(photo=first).delete()
    assert scan.enrol() == 0
    assert scan.sweep() == 1
    assert set(Fingerprint.objects.values_list("photo", flat=True)) == {
        first.pk,
        second.pk,
    }


def test_a_photo_waits_for_its_thumbnail(vault):
    row = rows.photo()
    scan.enrol()
    assert Fingerprint.objects.outstanding().count() == 1
    row.thumbnail.set(recipe=0)
    assert Fingerprint.objects.outstanding().count() == 0
