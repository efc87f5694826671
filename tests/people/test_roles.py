import itertools

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command

from imagevault.people import family
from imagevault.people.roles import Role, role_of, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return User.objects.create_superuser("anna")


def person(role: Role, name: str = "otto") -> User:
    made = User.objects.create_user(name)
    family.give_role(made, role, by=User(is_superuser=True))
    return User.objects.get(pk=made.pk)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.VIEWER, "gallery.view_photo", "gallery.add_photo"),
        (Role.CONTRIBUTOR, "gallery.add_photo", "gallery.change_photo"),
        (Role.REVIEWER, "gallery.change_photo", "gallery.change_source"),
        (Role.REVIEWER, "dedup.change_duplicateset", "auth.change_user"),
        (Role.ADMINISTRATOR, "auth.change_user", "django_q.add_schedule"),
        (Role.ADMINISTRATOR, "people.add_invitation", "auth.change_group"),
    ],
)
def test_role_may_what_it_says_and_no_more(role, may, may_not):
    otto = person(role)
    assert otto.has_perm(may)
    assert not otto.has_perm(may_not)


def test_every_permission_a_role_names_exists():
    for role in Role:
        assert Group.objects.get(name=role).permissions.exists()
    Permission.objects.get(
        codename="change_duplicateset", content_type__app_label="dedup"
    )


def test_each_role_may_what_the_one_before_it_may():
    may = [person(role, role).get_all_permissions() for role in Role]
    assert all(less <= more for less, more in itertools.pairwise(may))


def test_roles_come_back_with_the_next_migration():
    group = Group.objects.get(name=Role.CONTRIBUTOR)
    extra = Permission.objects.get(codename="change_source")
    group.permissions.set([extra])
    Group.objects.get(name=Role.REVIEWER).delete()
    call_command("migrate", verbosity=0)
    names = set(group.permissions.values_list("codename", flat=True))
    assert {"add_photo", "view_photo", "change_source"} <= names
    assert Group.objects.get(name=Role.REVIEWER).permissions.exists()


def test_settling_twice_changes_nothing():
    before = set(Group.permissions.through.objects.values_list("group", "permission"))
    settle()
    after = set(Group.permissions.through.objects.values_list("group", "permission"))
    assert before == after


def test_new_account_is_a_viewer_and_superuser_is_not():
    assert role_of(User.objects.create_user("otto")) == Role.VIEWER
    assert not User.objects.create_superuser("anna").groups.exists()


def test_a_role_takes_the_place_of_the_one_before(anna):
    otto = person(Role.ADMINISTRATOR)
    assert otto.is_staff
    family.give_role(otto, Role.VIEWER, by=anna)
    otto = User.objects.get(pk=otto.pk)
    assert [group.name for group in otto.groups.all()] == [Role.VIEWER]
    assert not otto.is_staff


def test_groups_of_ones_own_making_stay(anna):
    otto = person(Role.VIEWER)
    otto.groups.add(Group.objects.create(name="scanning"))
    family.give_role(otto, Role.REVIEWER, by=anna)
    assert {group.name for group in otto.groups.all()} == {"scanning", "reviewer"}


def test_last_administrator_cannot_be_removed():
    otto = person(Role.ADMINISTRATOR)
    for remove in (
        lambda: family.give_role(otto, Role.VIEWER, by=otto),
        lambda: family.close_account(otto, by=otto),
    ):
        with pytest.raises(family.Refused, match="last administrator"):
            remove()
    assert role_of(User.objects.get(pk=otto.pk)) == Role.ADMINISTRATOR
    other = person(Role.ADMINISTRATOR, "berta")
    family.close_account(other, by=otto)
    with pytest.raises(family.Refused):
        family.close_account(otto, by=otto)


def test_superuser_is_changed_by_no_administrator(anna):
    otto = person(Role.ADMINISTRATOR)
    for change in (
        lambda: family.give_role(anna, Role.VIEWER, by=otto),
        lambda: family.close_account(anna, by=otto),
        lambda: family.open_account(anna, by=otto),
        lambda: family.password_path(anna, by=otto),
    ):
        with pytest.raises(family.Refused):
            change()


def test_account_without_a_role_is_told_whom_to_ask(client, anna):
    otto = User.objects.create_user("otto", first_name="Otto")
    otto.groups.clear()
    client.force_login(otto)
    answer = client.get("/")
    assert answer.status_code == 403
    assert "no role yet" in answer.content.decode()
    assert "anna" in answer.content.decode()
    assert client.get("/password/").status_code == 200
    assert client.post("/logout/").status_code == 302
