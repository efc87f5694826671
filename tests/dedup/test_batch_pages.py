"""The pages of batches, asked over HTTP."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from dedup import runs, tasks
from dedup.models import Batch, BatchRun, DuplicateSet, Look, Verdict
from gallery.models import Photo
from tests.dedup.test_runs import finish, pair, place, placed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("vault")]

OVERVIEW = reverse("admin:dedup_batches")


def page(name: str, *args: int) -> str:
    return reverse(f"admin:dedup_{name}", args=args)


def shown(client, batch: Batch) -> dict[str, object]:
    """What the form of the sample sends if nobody finds anything wrong."""
    context = client.get(page("batch", batch.pk)).context
    said: dict[str, object] = {}
    for one in [*context["drawn"], *context["doubtful"]]:
        said[f"set-{one.duplicate_set.pk}"] = "right"
        said[f"seen-{one.duplicate_set.pk}"] = one.duplicate_set.revision
    return said


def test_the_overview_names_batches_and_what_stays_alone(admin_client):
    placed(3)
    placed(1, start=10, relation="same_pixels")
    placed(2, start=20, confidence=0.5)
    answer = admin_client.get(OVERVIEW)
    assertContains(answer, "WhatsApp Images against DCIM")
    assertContains(answer, "keep DCIM")
    assertContains(answer, "3 sets")
    assertContains(answer, "Safe: begin here")
    assertContains(answer, "2 sets that are not certain enough")


def test_the_overview_asks_no_more_for_more_batches(
    admin_client, django_assert_max_num_queries
):
    placed(2)
    admin_client.get(OVERVIEW)
    with django_assert_max_num_queries(18) as few:
        admin_client.get(OVERVIEW)
    for start, relation in enumerate(("cropped", "turned", "resaved"), start=1):
        placed(3, start=10 * start, relation=relation)
    with django_assert_max_num_queries(len(few)):
        admin_client.get(OVERVIEW)


def test_a_batch_asks_no_more_for_more_sets(
    admin_client, django_assert_max_num_queries
):
    batch = placed(30)[0].batch
    admin_client.get(page("batch", batch.pk))
    with django_assert_max_num_queries(20) as few:
        admin_client.get(page("batch", batch.pk))
    placed(40, start=100)
    with django_assert_max_num_queries(len(few)):
        admin_client.get(page("batch", batch.pk))


def test_a_batch_is_looked_at_carried_out_and_undone(admin_client):
    batch = placed(25)[0].batch
    answer = admin_client.get(page("batch", batch.pk))
    assertContains(answer, "Nobody has looked at a sample of it yet.")
    assertNotContains(answer, "Carry out all")
    admin_client.post(page("batch_look", batch.pk), shown(admin_client, batch))
    answer = admin_client.get(page("batch", batch.pk))
    assertContains(answer, "0 wrong of 25 drawn at random: every set that is left")
    version = answer.context["version"]
    begun = admin_client.post(page("batch_carry_out", batch.pk), {"version": version})
    run = BatchRun.objects.get()
    assertRedirects(begun, page("batchrun", run.pk))
    assertContains(admin_client.get(page("batchrun", run.pk)), "refresh")
    tasks.carry_out_batches([])
    answer = admin_client.get(page("batchrun", run.pk))
    assertContains(answer, "25 of 25")
    assertContains(answer, "25 photos")
    assertNotContains(answer, "refresh")
    admin_client.post(page("batchrun_undo", run.pk))
    tasks.carry_out_batches([])
    assert not Photo.objects.trashed().exists()
    assertContains(admin_client.get(page("batchrun", run.pk)), "25 sets")


def test_what_is_wrong_leaves_the_batch(admin_client):
    batch = placed(3)[0].batch
    said = shown(admin_client, batch)
    first, second, _ = (name for name in said if name.startswith("set-"))
    said |= {first: "not_same", second: "later"}
    admin_client.post(page("batch_look", batch.pk), said)
    assert Verdict.objects.count() == 1
    assert runs.open_sets(batch).count() == 1
    assert Look.objects.filter(is_wrong=True).count() == 2


def test_nonsense_is_not_a_look(admin_client):
    batch = placed(1)[0].batch
    said = {"set-x": "right", "set-1": "right", "set-2": "purge", "seen-2": "1"}
    admin_client.post(page("batch_look", batch.pk), said)
    assert not Look.objects.exists()
    admin_client.post(page("batch_carry_out", batch.pk), {"version": "x"})
    assert not BatchRun.objects.exists()


def test_a_run_can_be_stopped(admin_client):
    batch = placed(2, relation="same_pixels")[0].batch
    admin_client.post(page("batch_carry_out", batch.pk), {"version": 1})
    run = BatchRun.objects.get()
    assertContains(admin_client.get(page("batch", batch.pk)), "under way")
    admin_client.post(page("batchrun_stop", run.pk))
    tasks.carry_out_batches([])
    answer = admin_client.get(page("batchrun", run.pk))
    assertContains(answer, "2 sets were left as they are")
    assert DuplicateSet.objects.open().count() == 2


def test_promise_11_who_may_not_decide_only_looks(client, django_user_model):
    batch = placed(2, relation="same_pixels")[0].batch
    run = runs.begin(batch, version=9, by=django_user_model.objects.create_user("anna"))
    finish(run)
    user = django_user_model.objects.create_user("berta", is_staff=True)
    client.force_login(user)
    pages = [OVERVIEW, page("batch", batch.pk), page("batchrun", run.pk)]
    posts = [
        page("batch_look", batch.pk),
        page("batch_carry_out", batch.pk),
        page("batchrun_stop", run.pk),
        page("batchrun_undo", run.pk),
    ]
    assert {client.get(where).status_code for where in pages} == {403}
    may_view = Permission.objects.get(codename="view_duplicateset")
    user.user_permissions.add(may_view)
    assert {client.get(where).status_code for where in pages} == {200}
    assert {client.post(where).status_code for where in posts} == {403}
    assert {client.get(where).status_code for where in posts} == {405}


def test_what_never_was_is_not_found(admin_client):
    for name in ("batch", "batchrun"):
        assert admin_client.get(page(name, 99)).status_code == 404


def test_the_cluster_is_asked_for_what_somebody_waits_for():
    pair(1)
    assert tasks.feed_desk(2) == 1
    assert tasks.feed_desk(2) == 0
    tasks.place_sets([])
    batch = Batch.objects.get()
    Batch.objects.update(is_safe=True)
    batch.refresh_from_db()
    run = runs.begin(batch, version=9, by=User.objects.create_user("anna"))
    assert tasks.feed_desk(2) == 1
    tasks.carry_out_batches([])
    run.refresh_from_db()
    assert run.state == "finished"
    assert tasks.feed_desk(2) == 0
    place()
