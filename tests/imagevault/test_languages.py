"""Pages in the reader's language: words, dates and numbers."""

import ast
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import translation

from imagevault import spoken

ROOT = Path(__file__).resolve().parent.parent.parent
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}


def test_page_says_which_language_it_is_in(admin_client):
    assert '<html lang="en">' in admin_client.get("/").content.decode()
    page = admin_client.get("/", **GERMAN).content.decode()
    assert '<html lang="de">' in page
    other = admin_client.get("/", HTTP_ACCEPT_LANGUAGE="fi").content.decode()
    assert '<html lang="en">' in other


def test_language_can_be_chosen_before_logging_in(client, db):
    address = reverse("set_language")
    answer = client.post(address, {"language": "de", "next": "/login/"})
    assert answer.url == "/login/"
    assert '<html lang="de">' in client.get("/login/").content.decode()
    client.post(address, {"language": "en", "next": "/login/"})
    assert '<html lang="en">' in client.get("/login/", **GERMAN).content.decode()


def test_a_language_is_offered_by_its_own_name(client, db):
    """Whoever landed on the wrong one may not be able to read it."""
    assert ">Deutsch</button>" in client.get("/login/").content.decode()
    assert ">English</button>" in client.get("/login/", **GERMAN).content.decode()


def test_choosing_a_language_leads_nowhere_else(client, db):
    sent = {"language": "de", "next": "https://elsewhere.example/"}
    assert client.post(reverse("set_language"), sent).url == "/"


def test_dates_are_written_as_the_reader_writes_them(admin_client):
    address = "/?since=2004-07-12"
    assert "12 July 2004" in admin_client.get(address).content.decode()
    assert "12. Juli 2004" in admin_client.get(address, **GERMAN).content.decode()


def test_caches_keep_languages_apart(admin_client):
    assert "Accept-Language" in admin_client.get("/")["Vary"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/admin/", ["Arbeit im Hintergrund", "Entscheidungen", "Urteile"]),
        ("/admin/dedup/duplicateset/", ["Gruppen von Duplikaten", "Nach Art"]),
    ],
)
def test_the_desk_names_its_rows_in_german(admin_client, address, said):
    page = admin_client.get(address, **GERMAN).content.decode()
    assert [one for one in said if one not in page] == []
    for english in ("Duplicate sets", "Decisions", "Verdicts", "Background work"):
        assert english not in page


# What programs wrote


def literals(path: str, *names: str) -> set[str]:
    """Return the texts that a module gives to these functions or exceptions."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
            for given in node.args:
                found |= {text(part) for part in branches(given)}
    return found - {""}


def branches(node: ast.expr) -> list[ast.expr]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [p.value if isinstance(p, ast.Constant) else "1" for p in node.values]
        return "".join(map(str, parts))
    return ""


@pytest.mark.parametrize(
    "path", ["gallery/decoding.py", "gallery/renditions.py", "gallery/sandbox.py"]
)
def test_every_reason_why_nothing_can_be_shown_is_a_known_phrase(path):
    for reason in literals(path, "Unreadable", "Undeveloped"):
        assert spoken.one_phrase(reason) is not None, reason


def test_every_judgement_is_a_known_phrase():
    for because in literals("dedup/relation.py", "Judgement"):
        assert spoken.one_phrase(because) is not None, because


def test_every_explanation_of_a_date_is_a_known_phrase():
    from gallery import dates

    for origin in dates.Origin:
        for precision in dates.Precision:
            said = dates.explain(dates.TakenAt(None, None, precision, origin))
            assert spoken.one_phrase(said) is not None, said


def test_phrases_are_said_one_by_one():
    with translation.override("en"):
        said = "cropped to 40 %, camera data lost"
        assert spoken.spoken(said) == said
        damaged = "the file is damaged (broken, data; stream); shown as far as it goes"
        assert spoken.spoken(damaged) == damaged
        assert spoken.spoken("nobody listed this") == "nobody listed this"
        assert spoken.spoken("with {braces} and 100 %") == "with {braces} and 100 %"


def test_what_programs_wrote_is_said_in_the_readers_language():
    with translation.override("de"):
        said = spoken.spoken("cropped to 40 %, camera data lost, saved as PNG")
        assert said == "auf 40 % beschnitten, Kameradaten verloren, als PNG gespeichert"
        assert spoken.spoken("too many pixels: 10 x 20").endswith("10 x 20")


def test_pages_are_in_german(admin_client, vault):
    page = admin_client.get("/", **GERMAN).content.decode()
    assert "Noch keine Fotos" in page
    assert "Abmelden" in page
    assert "Log out" not in page
