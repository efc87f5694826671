from django.contrib.auth.models import User

from imagevault import settings

REPORT = "from django.contrib.auth.models import User; print(User.objects.get())"


def test_what_a_program_writes_is_read_by_the_test(house):
    house.run("createsuperuser", "--noinput", "--username=oma", "--email=")
    assert User.objects.get().username == "oma"


def test_what_the_test_writes_is_read_by_a_program(house):
    User.objects.create(username="opa")
    assert house.run("shell", "-v0", "-c", REPORT).stdout == "opa\n"


def test_nobody_is_left_in_an_emptied_house(house):
    house.start("shell", "-c", "import time; time.sleep(60)")
    house.wait_for(house.inhabitants)
    house.empty()
    assert not house.inhabitants()


def test_the_settings_of_the_tests_never_name_the_house(house):
    assert house.folder != settings.IMAGEVAULT_DATA


def test_the_usual_database_is_back_after_a_house(db):
    assert not User.objects.exists()
