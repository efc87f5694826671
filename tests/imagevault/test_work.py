import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import Failure

from gallery.models import MAX_ATTEMPTS, Photo, Thumbnail
from tests.gallery.rows import bare_photo

WORK = reverse("work")


@pytest.fixture
def staff(db, vault, client):
    client.force_login(User.objects.create_user("oma", is_staff=True))
    return client


def failed(name: str = "IMG_1.jpg", **values: object) -> Thumbnail:
    photo = bare_photo(Photo.objects.count(), name=name)
    values = {"problem": "the decoder crashed", **values}
    return Thumbnail.objects.create(photo=photo, **values)


def test_what_failed_is_shown_with_its_reason(staff):
    failed()
    page = staff.get(WORK).content.decode()
    assert "IMG_1.jpg" in page
    assert "The decoder crashed" in page


def test_a_retried_step_waits_again(staff):
    first, second = failed("a.jpg"), failed("b.jpg", problem="", attempts=MAX_ATTEMPTS)
    staff.post(f"{WORK}thumbnails/retry/", {"row": first.pk})
    assert [step.pk for step in Thumbnail.objects.claimable()] == [first.pk]
    staff.post(f"{WORK}thumbnails/retry/")
    assert {step.pk for step in Thumbnail.objects.claimable()} == {first.pk, second.pk}


def test_a_stage_nobody_knows_is_not_found(staff):
    assert staff.post(f"{WORK}nonsense/retry/").status_code == 404


def test_the_refresh_is_the_part_that_changes(staff):
    page = staff.get(WORK, headers={"HX-Request": "true"}).content.decode()
    assert "Thumbnails" in page
    assert "<html" not in page


def test_nobody_at_work_is_said(staff):
    assert "Nobody is at work" in staff.get(WORK).content.decode()


def test_the_number_of_queries_does_not_grow(staff, django_assert_num_queries):
    failed("one.jpg")
    with CaptureQueriesContext(connection) as few:
        staff.get(WORK)
    for number in range(20):
        failed(f"{number}.jpg")
    with django_assert_num_queries(len(few)):
        staff.get(WORK)


def test_only_staff_see_the_work(db, client):
    assert client.get(WORK).status_code == 302
    client.force_login(User.objects.create_user("kind"))
    assert client.get(WORK).status_code == 403
    assert client.post(WORK + "thumbnails/retry/").status_code == 403


@pytest.mark.parametrize("page", ["/", "/admin/"])
def test_the_work_page_is_linked_where_staff_begin(staff, page):
    assert reverse("work") in staff.get(page).content.decode()


def test_health_needs_no_login(db, client, vault):
    assert client.get("/healthz").content == b"ok\n"


def test_health_tells_of_a_missing_vault(db, client, vault):
    (vault / "vault.json").unlink()
    assert client.get("/healthz").status_code == 503


def test_broken_off_tasks_lead_who_may_see_them_to_the_admin(staff):
    Failure.objects.create(
        id="a", name="a", func="f", started="2026-01-01T00:00Z",
        stopped="2026-01-01T00:00Z", success=False,
    )  # fmt: skip
    address = reverse("admin:django_q_failure_changelist")
    assert address not in staff.get(WORK).content.decode()
    may = Permission.objects.get(codename="view_failure")
    User.objects.get().user_permissions.add(may)
    assert address in staff.get(WORK).content.decode()


def test_the_photo_of_a_failed_step_is_reached(staff):
    photo: Photo = failed().photo
    assert photo.get_absolute_url() in staff.get(WORK).content.decode()


@pytest.mark.parametrize("row", ["9" * 30, "first", "-1"])
def test_a_row_that_cannot_be_is_not_tried_again_nor_are_all(staff, row):
    failed()
    assert staff.post(f"{WORK}thumbnails/retry/", {"row": row}).status_code == 404
    assert Thumbnail.objects.failed().count() == 1
