import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_login_page_asks_for_name_and_password(client):
    page = client.get(reverse("login")).content.decode()
    assert 'name="username"' in page
    assert 'name="password"' in page


def test_wrong_password_is_said_in_words(client):
    answer = client.post(reverse("login"), {"username": "otto", "password": "wrong"})
    assert "Please enter a correct username and password" in answer.content.decode()


def test_name_with_too_many_wrong_passwords_is_locked_out(client, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post(reverse("login"), {"username": "otto", "password": "no"})
    assert answer.status_code == 429
    assert "quarter of an hour" in answer.content.decode()


def test_unknown_page_is_answered_in_words(admin_client):
    answer = admin_client.get("/no-such-page/")
    assert answer.status_code == 404
    assert "no such page" in answer.content.decode()


def test_pages_carry_no_inline_style_or_script(admin_client):
    page = admin_client.get(reverse("gallery:browse"))
    assert "style=" not in page.content.decode()
    assert "unsafe" not in page["Content-Security-Policy"]
