import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from imagevault.people import family
from imagevault.people.models import Gone, Invitation
from imagevault.people.roles import Role, role_of

pytestmark = pytest.mark.django_db

PASSWORD = "four old drives in a box"
CHOSEN = {
    "first_name": "Oma Grete",
    "username": "grete",
    "password1": PASSWORD,
    "password2": PASSWORD,
}


@pytest.fixture
def anna():
    return User.objects.create_superuser("anna", first_name="Anna")


@pytest.fixture
def invited(anna):
    """An invitation and its address."""
    made, token = Invitation.make(name="Oma Grete", role=Role.CONTRIBUTOR, by=anna)
    return made, f"/invitation/{token}/"


def test_who_is_invited_chooses_a_name_and_a_password_and_is_in(client, invited):
    made, address = invited
    page = client.get(address).content.decode()
    assert "Welcome, Oma Grete" in page and "Anna has invited you" in page
    answer = client.post(address, CHOSEN, follow=True)
    assert "Welcome, Oma Grete!" in answer.content.decode()
    grete = User.objects.get(username="grete")
    assert answer.wsgi_request.user == grete
    assert role_of(grete) == Role.CONTRIBUTOR
    assert grete.check_password(PASSWORD)
    made.refresh_from_db()
    assert made.person == grete


def test_invitation_works_once(client, invited):
    _, address = invited
    client.post(address, CHOSEN)
    client.logout()
    assert client.get(address).status_code == 410
    again = client.post(address, CHOSEN | {"username": "other"})
    assert again.status_code == 410
    assert not User.objects.filter(username="other").exists()


def test_of_two_who_accept_at_once_one_does(invited):
    made, _ = invited
    made.accept(User(username="first"))
    with pytest.raises(Gone):
        Invitation.objects.get(pk=made.pk).accept(User(username="second"))
    assert not User.objects.filter(username="second").exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: one.revoke(),
        lambda one: Invitation.objects.update(
            expires_at=timezone.now() - timedelta(seconds=1)
        ),
        lambda one: User.objects.filter(username="anna").update(is_active=False),
        lambda one: User.objects.filter(username="anna").update(is_superuser=False),
    ],
)
def test_invitation_ends_with_its_time_its_maker_or_a_call_back(client, invited, spoil):
    made, address = invited
    spoil(made)
    answer = client.post(address, CHOSEN)
    assert answer.status_code == 410
    assert "not valid any more" in answer.content.decode()
    assert not User.objects.filter(username="grete").exists()


def test_unknown_invitation_looks_like_a_used_one(client, db):
    assert client.get("/invitation/nonsense/").status_code == 410


def test_token_is_nowhere_in_the_database(invited):
    made, address = invited
    token = address.split("/")[2]
    row = Invitation.objects.values().get(pk=made.pk)
    assert token not in str(row)
    assert len(token) >= 32


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password1": "1234", "password2": "1234"}, "too short"),
        ({"password2": "another one"}, "match"),
        ({"username": "ANNA"}, "already exists"),
        ({"username": "a b"}, "valid username"),
        ({"first_name": ""}, "required"),
        ({"username": "gretelein", "password1": "gretelein", "password2": "gretelein"},
         "too similar"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_and_the_invitation_stays(client, invited, change, said):
    _, address = invited
    answer = client.post(address, CHOSEN | change)
    assert said in answer.content.decode()
    assert client.post(address, CHOSEN).status_code == 302


def test_role_cannot_be_chosen_by_who_is_invited(client, invited):
    _, address = invited
    asked = {"role": "administrator", "is_superuser": "1", "is_staff": "1"}
    client.post(address, CHOSEN | asked)
    grete = User.objects.get(username="grete")
    assert role_of(grete) == Role.CONTRIBUTOR
    assert not grete.is_superuser and not grete.is_staff


def test_invitation_is_not_used_up_by_who_is_in_already(client, anna, invited):
    _, address = invited
    client.force_login(anna)
    assert "You are in already" in client.get(address).content.decode()
    client.post(address, CHOSEN)
    assert not User.objects.filter(username="grete").exists()


def test_link_is_shown_to_who_invites_this_once(client, anna):
    client.force_login(anna)
    page = client.post("/family/", {"name": "Opa", "role": "viewer"}).content.decode()
    link = re.search(r'value="(http://testserver/invitation/[^"]+)"', page)[1]
    assert "Opa" in client.get("/family/").content.decode()
    assert link not in client.get("/family/").content.decode()
    client.logout()
    assert client.get(link).status_code == 200


def test_role_that_does_not_exist_invites_nobody(client, anna):
    client.force_login(anna)
    client.post("/family/", {"name": "Opa", "role": "emperor"})
    client.post("/family/", {"name": "", "role": "viewer"})
    assert not Invitation.objects.exists()


def test_invitation_is_called_back(client, anna, invited):
    made, address = invited
    client.force_login(anna)
    client.post(f"/family/invitations/{made.pk}/revoke/")
    client.logout()
    assert client.get(address).status_code == 410


def test_reviewer_invites_nobody(client, anna):
    otto = User.objects.create_user("otto")
    family.give_role(otto, Role.REVIEWER, by=anna)
    client.force_login(otto)
    assert client.get("/family/").status_code == 403
    answer = client.post("/family/", {"name": "Opa", "role": "administrator"})
    assert answer.status_code == 403
    assert not Invitation.objects.exists()
