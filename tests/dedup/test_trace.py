"""The trace: who decided what, the story of a photo, verdicts between vaults."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from dedup import decisions, sets, verdicts
from dedup.models import Decision, DuplicateSet, Verdict
from gallery import trash
from gallery.models import Outcome, Photo, SourceFile
from tests.dedup import rows
from tests.dedup.test_runs import pair, photo, seen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("vault")]

WHY = reverse("admin:dedup_why")
DECISIONS = reverse("admin:dedup_decision_changelist")


@pytest.fixture
def anna() -> User:
    return User.objects.create_superuser("anna")


@pytest.fixture
def decided(anna) -> DuplicateSet:
    one = pair(1)
    one.members.update(reason="largest")
    decisions.resolve(one, decisions.suggested(one), by=anna)
    return one


def photos(one: DuplicateSet) -> list[Photo]:
    return [member.photo for member in one.members.order_by("place")]


def text(answer) -> str:
    return b"".join(answer.streaming_content).decode()


def test_decisions_are_exported_as_csv_and_json(client, anna, decided):
    client.force_login(anna)
    keeper, copy = photos(decided)
    where = reverse("admin:dedup_decisions_export", args=["json"])
    [row] = json.loads(text(client.get(where)))
    assert (row["by"], row["what"], row["set"]) == ("anna", "resolve", decided.pk)
    assert (row["kept"], row["discarded"]) == ([keeper.digest], [copy.digest])
    assert row["why"] == ["largest", "largest"]
    where = reverse("admin:dedup_decisions_export", args=["csv"])
    [line] = csv.DictReader(io.StringIO(text(client.get(where))))
    assert line["discarded"] == copy.digest
    assert line["undone_at"] == ""


def test_the_export_holds_what_the_list_shows(client, anna, decided):
    client.force_login(anna)
    decisions.dismiss(pair(2), by=anna)
    where = reverse("admin:dedup_decisions_export", args=["json"])
    found = json.loads(text(client.get(where, {"kind__exact": "dismiss"})))
    assert [row["what"] for row in found] == ["dismiss"]
    assert client.get(DECISIONS, {"kind__exact": "dismiss"}).status_code == 200
    wrong = reverse("admin:dedup_decisions_export", args=["exe"])
    assert client.get(wrong).status_code == 404


def test_the_history_tells_decisions_undos_restores_and_purges(client, anna, decided):
    client.force_login(anna)
    keeper, copy = photos(decided)
    trash.restore(Photo.objects.filter(pk=copy.pk), by=anna)
    decisions.undo(Decision.objects.get(), by=anna)
    trash.note(copy, keeper)
    where = reverse("admin:dedup_history")
    shown = client.get(where).context["events"]
    assert [one.what for one in shown] == ["purge", "undo", "restore", "resolve"]
    assert [one.by for one in shown] == [None, anna, anna, anna]
    restored = client.get(where, {"what": "restore"}).context["events"]
    assert [one.said for one in restored] == [f"{copy.name}: somebody wanted it back"]
    assert not client.get(where, {"by": "nobody"}).context["events"]
    earlier = client.get(where, {"before": shown[1].at.isoformat()}).context["events"]
    assert [one.what for one in earlier] == ["restore", "resolve"]
    export = reverse("admin:dedup_history_export", args=["json"])
    found = json.loads(text(client.get(export)))
    assert [row["what"] for row in found] == ["resolve", "restore", "purge"]
    assert found[2]["kept"] == [keeper.digest]
    for nonsense in ({"before": "soon", "what": "\0", "by": "\0"}, {"what": "undo"}):
        assert client.get(where, nonsense).status_code == 200


def test_a_name_is_no_formula_in_a_table(client, decided):
    user = User.objects.create_superuser("=cmd()")
    Decision.objects.update(by=user)
    client.force_login(user)
    where = reverse("admin:dedup_decisions_export", args=["csv"])
    [line] = csv.DictReader(io.StringIO(text(client.get(where))))
    assert line["by"] == "'=cmd()"


@pytest.mark.parametrize("asked", ["name", "path", "digest"])
def test_a_photo_that_was_discarded_tells_its_story(client, anna, decided, asked):
    client.force_login(anna)
    keeper, copy = photos(decided)
    words = {"name": copy.name, "path": "whatsapp images/1", "digest": copy.digest[:12]}
    answer = client.get(WHY, {"q": words[asked]})
    assertContains(answer, f"It is in the trash: it gave way to {keeper.name}.")
    assertContains(answer, "WhatsApp Images/1.jpg")
    assertContains(answer, "anna decided its set: carried out")
    assertContains(answer, reverse("gallery:restore", args=[copy.pk]))


def test_more_photos_are_told_of_with_no_more_questions(
    client, anna, django_assert_max_num_queries
):
    client.force_login(anna)
    for number in range(2):
        rows.bare_photo(number)
    client.get(WHY, {"q": ".jpg"})
    with django_assert_max_num_queries(12) as few:
        client.get(WHY, {"q": ".jpg"})
    for number in range(2, 30):
        rows.bare_photo(number)
    with django_assert_max_num_queries(len(few)):
        found = client.get(WHY, {"q": ".jpg"}).context["found"]
    assert (len(found.stories), found.has_more) == (20, True)


def test_a_photo_in_the_gallery_says_so(client, anna):
    client.force_login(anna)
    assertContains(client.get(WHY, {"q": photo(7).digest}), "It is in the gallery.")


def test_a_chain_of_keepers_is_followed(client, anna, decided):
    client.force_login(anna)
    keeper, copy = photos(decided)
    best = photo(9)
    keeper.move_to_trash(by=anna, in_favour_of=best)
    answer = client.get(WHY, {"q": copy.digest})
    assertContains(answer, f"{keeper.name}, kept in its place, gave way in turn")
    assertContains(answer, f"In its place {best.name} is in the gallery")


def test_a_file_that_became_no_photo_says_why(client, anna):
    client.force_login(anna)
    seen(photo(1), "letters/bill.pdf")
    SourceFile.objects.update(
        photo=None, outcome=Outcome.NOT_A_PHOTO, reason="a document"
    )
    answer = client.get(WHY, {"q": "bill.pdf"})
    assertContains(answer, "not kept, a document")
    assertContains(client.get(WHY, {"q": "nowhere"}), "has ever had such a file")
    assertNotContains(client.get(WHY), "has ever had such a file")


@pytest.mark.parametrize("asked", ["%", "'; drop", "\x00", "a" * 600, "<script>"])
def test_any_question_is_answered(client, anna, asked):
    client.force_login(anna)
    assert client.get(WHY, {"q": asked}).status_code == 200


def test_promise_11_only_who_decides_sees_the_trace(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("b", is_staff=True))
    pages = [WHY, reverse("admin:dedup_verdicts_export")]
    pages += [reverse("admin:dedup_history")]
    pages += [reverse("admin:dedup_history_export", args=["csv"])]
    pages += [reverse("admin:dedup_decisions_export", args=["csv"])]
    assert {client.get(where).status_code for where in pages} == {403}


# Verdicts


def test_promise_06_verdicts_go_into_another_vault(anna, decided):
    written = "".join(verdicts.exported())
    Verdict.objects.all().delete()
    report = verdicts.take_in(written)
    assert (report.new, report.known, report.otherwise) == (1, 0, [])
    assert Verdict.objects.get().by == anna
    assert "".join(verdicts.exported()) == written
    assert verdicts.take_in(written).known == 1


def test_promise_06_what_was_answered_elsewhere_is_not_asked_here(anna):
    one, other = photo(1), photo(2)
    rows.match(one, other)
    sets.regroup()
    decisions.dismiss(DuplicateSet.objects.get(), by=anna)
    written = "".join(verdicts.exported())
    for model in (Verdict, Decision, DuplicateSet):
        model.objects.all().delete()
    decisions.Comparison.objects.update(is_grouped=False)
    sets.regroup()
    assert DuplicateSet.objects.open().exists()
    verdicts.take_in(written)
    sets.regroup()
    assert not DuplicateSet.objects.open().exists()


def test_what_was_said_here_stays(decided):
    document = json.loads("".join(verdicts.exported()))
    document["verdicts"][0]["says"] = "not_duplicates"
    report = verdicts.take_in(json.dumps(document))
    assert len(report.otherwise) == 1
    assert Verdict.objects.get().says == "same"


PAIR = {"left": "a" * 64, "right": "b" * 64, "at": "2026-01-01T00:00:00+00:00"}


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"format": "other", "verdicts": []}',
        json.dumps({"format": verdicts.FORMAT, "verdicts": [PAIR]}).encode(),
        *(
            json.dumps(
                {
                    "format": verdicts.FORMAT,
                    "verdicts": [{**PAIR, "says": "same"}, {**PAIR, **wrong}],
                }
            ).encode()
            for wrong in (
                {"says": "maybe"},
                {"says": "same", "left": "b" * 64},
                {"says": "same", "left": "../etc"},
                {"says": "same", "left": 5},
                {"says": "same", "at": "yesterday"},
            )
        ),
        json.dumps({"format": verdicts.FORMAT, "verdicts": ["x"]}).encode(),
    ],
)
def test_what_is_no_file_of_verdicts_changes_nothing(content):
    with pytest.raises(verdicts.NotVerdicts):
        verdicts.take_in(content)
    assert not Verdict.objects.exists()


def test_the_commands_write_and_read_a_file(tmp_path, decided, capsys):
    path = tmp_path / "verdicts.json"
    call_command("export_verdicts", str(path))
    Verdict.objects.all().delete()
    call_command("import_verdicts", str(path))
    assert Verdict.objects.count() == 1
    with pytest.raises(CommandError):
        call_command("import_verdicts", str(tmp_path / "missing"))
    path.write_text("{}")
    with pytest.raises(CommandError):
        call_command("import_verdicts", str(path))


def test_verdicts_are_exported_and_imported_in_the_admin(client, anna, decided):
    client.force_login(anna)
    where = reverse("admin:dedup_verdict_changelist")
    assertContains(client.get(where), reverse("admin:dedup_verdicts_export"))
    written = text(client.get(reverse("admin:dedup_verdicts_export")))
    Verdict.objects.all().delete()
    given = SimpleUploadedFile("verdicts.json", written.encode())
    to = reverse("admin:dedup_verdicts_import")
    assertContains(client.post(to, {"file": given}, follow=True), "1 verdict was taken")
    given = SimpleUploadedFile("verdicts.json", b"no")
    answer = client.post(to, {"file": given}, follow=True)
    assertContains(answer, "not a file of verdicts")
    assertContains(client.post(to, follow=True), "Choose a file")
