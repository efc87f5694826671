"""Two who write into the ledger at once."""

import threading

import pytest
from django.db import connection

from gallery import formats, ledger
from gallery.models import Outcome, Photo, Source, SourceFile

ROUNDS = 10


@pytest.mark.django_db(transaction=True)
def test_photos_filed_under_one_path_at_once_keep_their_sightings():
    source = Source.objects.create(label="Uploads", kind=Source.Kind.UPLOAD)
    for number in range(ROUNDS):
        start = threading.Barrier(2)

        def file(digest: str, *, path=f"anna/image {number}.jpg", start=start) -> None:
            finding = ledger.Finding(
                path, Outcome.IMPORTED, digest=digest, format=formats.JPEG
            )
            try:
                run = ledger.start(source, by=None)
                start.wait(timeout=30)
                ledger.write(run, [finding], ())
            finally:
                connection.close()

        digests = [f"{one}{number}" * 32 for one in "ab"]
        threads = [threading.Thread(target=file, args=[one]) for one in digests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert Photo.objects.count() == 2 * ROUNDS
    assert not Photo.objects.filter(sightings=None).exists()
    assert SourceFile.objects.current().count() == ROUNDS
