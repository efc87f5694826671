"""The catalogue in the admin site is for looking: it stays as programs wrote it."""

import pytest
from django.urls import reverse

from gallery.models import ImportRun, Outcome, Photo, Source, SourceFile, path_key

pytestmark = pytest.mark.django_db


def ledger(count: int) -> None:
    source = Source.objects.create(label=f"drive {count}")
    run = ImportRun.objects.create(source=source)
    for number in range(count):
        digest = f"{source.pk * 1000 + number:064x}"
        photo = Photo.objects.create(digest=digest, size=1, name="x.jpg", format="JPEG")
        path = f"DCIM/{number}.jpg"
        SourceFile.objects.create(
            source=source, path=path, path_key=path_key(path), photo=photo,
            outcome=Outcome.IMPORTED, first_run=run, last_run=run,
        )  # fmt: skip


@pytest.mark.parametrize("model", ["source", "importrun", "sourcefile", "photo"])
def test_a_list_asks_as_many_questions_for_many_rows_as_for_few(
    admin_client, model, django_assert_max_num_queries
):
    address = reverse(f"admin:gallery_{model}_changelist")
    ledger(2)
    admin_client.get(address)
    with django_assert_max_num_queries(10):
        admin_client.get(address)
    ledger(20)
    with django_assert_max_num_queries(10):
        assert admin_client.get(address).status_code == 200


@pytest.mark.parametrize("model", ["importrun", "sourcefile", "photo"])
def test_rows_are_shown_and_not_changed(admin_client, model):
    ledger(1)
    row = {"importrun": ImportRun, "sourcefile": SourceFile, "photo": Photo}[model]
    pk = row.objects.get().pk
    change = reverse(f"admin:gallery_{model}_change", args=[pk])
    assert admin_client.get(change).status_code == 200
    assert admin_client.post(change, {"name": "other"}).status_code == 403
    delete = reverse(f"admin:gallery_{model}_delete", args=[pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403


def test_a_drives_label_can_be_corrected(admin_client):
    ledger(1)
    source = Source.objects.get()
    address = reverse("admin:gallery_source_change", args=[source.pk])
    admin_client.post(address, {"label": "Blue WD 2009"})
    source.refresh_from_db()
    assert source.label == "Blue WD 2009"
