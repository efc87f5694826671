import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery.models import Favourite
from imagevault.people import family
from imagevault.people.roles import Role, role_of
from tests.gallery.rows import bare_photo

pytestmark = pytest.mark.django_db

PASSWORD = "four old drives in a box"


@pytest.fixture
def anna():
    return User.objects.create_superuser("anna")


@pytest.fixture
def otto():
    return User.objects.create_user("otto", password=PASSWORD)


@pytest.fixture
def signed_in(client, anna):
    client.force_login(anna)
    return client


def test_role_is_given_by_choosing_it(signed_in, otto):
    answer = signed_in.post(
        f"/family/{otto.pk}/role/", {"role": "reviewer"}, follow=True
    )
    assert "otto is now: Reviewer." in answer.content.decode()
    otto = User.objects.get(pk=otto.pk)
    assert role_of(otto) == Role.REVIEWER and otto.is_staff
    logged = LogEntry.objects.get(object_id=str(otto.pk))
    assert (logged.user.username, logged.change_message) == ("anna", "Role: Reviewer")


def test_nonsense_role_changes_nothing(signed_in, otto):
    for role in ("", "emperor"):
        signed_in.post(f"/family/{otto.pk}/role/", {"role": role})
    assert role_of(otto) == Role.VIEWER


def test_closed_account_keeps_what_was_done(signed_in, client, otto):
    bare_photo(1).star(by=otto)
    signed_in.post(f"/family/{otto.pk}/account/", {"open": "0"})
    client.logout()
    said = client.post("/login/", {"username": "otto", "password": PASSWORD})
    assert said.status_code == 200
    assert Favourite.objects.of(otto).exists()
    client.force_login(User.objects.get(username="anna"))
    signed_in.post(f"/family/{otto.pk}/account/", {"open": "1"})
    assert User.objects.get(pk=otto.pk).is_active


def test_who_is_inside_when_the_account_closes_is_out(client, anna, otto):
    client.force_login(otto)
    family.close_account(otto, by=anna)
    assert client.get("/").status_code == 302


def test_last_administrator_is_told_why_not(signed_in, anna):
    answer = signed_in.post(f"/family/{anna.pk}/account/", {"open": "0"}, follow=True)
    assert "last administrator" in answer.content.decode()
    assert User.objects.get(pk=anna.pk).is_active


def link_for(signed_in, person) -> str:
    html = signed_in.post(f"/family/{person.pk}/password-link/").content.decode()
    return re.search(r'value="(http://testserver/password/new/[^"]+)"', html)[1]


def test_forgotten_password_is_replaced_by_a_link(signed_in, client, otto):
    link = link_for(signed_in, otto)
    client.logout()
    form = client.get(link, follow=True)
    where = form.redirect_chain[-1][0]
    chosen = {
        "new_password1": "another old drive",
        "new_password2": "another old drive",
    }
    answer = client.post(where, chosen, follow=True)
    assert answer.wsgi_request.user == otto
    client.logout()
    assert User.objects.get(pk=otto.pk).check_password("another old drive")
    assert "not valid any more" in client.get(link, follow=True).content.decode()


def test_password_link_ends_when_the_account_closes(signed_in, client, anna, otto):
    link = link_for(signed_in, otto)
    family.close_account(otto, by=anna)
    client.logout()
    assert "not valid any more" in client.get(link, follow=True).content.decode()


def test_password_link_opens_a_name_that_was_locked_out(
    signed_in, client, otto, settings
):
    client.logout()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post("/login/", {"username": "otto", "password": "no"})
    assert answer.status_code == 429
    client.force_login(User.objects.get(username="anna"))
    link_for(signed_in, otto)
    client.logout()
    answer = client.post("/login/", {"username": "otto", "password": PASSWORD})
    assert answer.status_code == 302


def test_own_password_is_changed_and_others_are_logged_out(client, otto):
    from django.test import Client

    elsewhere = Client()
    for one in (client, elsewhere):
        one.force_login(otto)
    data = {
        "old_password": PASSWORD,
        "new_password1": "another old drive",
        "new_password2": "another old drive",
    }
    answer = client.post("/password/", data, follow=True)
    assert "Your password is changed" in answer.content.decode()
    assert client.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


def test_own_password_needs_the_old_one(client, otto):
    client.force_login(otto)
    data = {"old_password": "no", "new_password1": "x" * 12, "new_password2": "x" * 12}
    assert client.post("/password/", data).status_code == 200
    assert User.objects.get(pk=otto.pk).check_password(PASSWORD)


def test_administrator_changes_no_superuser_in_the_admin_site(client, anna, otto):
    family.give_role(otto, Role.ADMINISTRATOR, by=anna)
    client.force_login(otto)
    address = f"/admin/auth/user/{anna.pk}/password/"
    assert client.get(address).status_code == 403
    assert client.get(f"/admin/auth/user/{anna.pk}/delete/").status_code == 403


def test_administrator_makes_no_superuser_in_the_admin_site(client, anna, otto):
    family.give_role(otto, Role.ADMINISTRATOR, by=anna)
    client.force_login(otto)
    client.post(
        f"/admin/auth/user/{otto.pk}/change/",
        {
            "username": "otto",
            "first_name": "Otto",
            "is_superuser": "on",
            "is_active": "on",
            "user_permissions": ["1", "2"],
        },
    )
    otto = User.objects.get(pk=otto.pk)
    assert otto.first_name == "Otto"
    assert not otto.is_superuser and not otto.user_permissions.exists()
    assert otto.is_active and otto.is_staff


def test_number_of_queries_does_not_grow_with_people(signed_in):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            signed_in.get("/family/")
        return len(captured)

    before = queries()
    for number in range(20):
        User.objects.create_user(f"person {number}")
    assert queries() == before
