"""Batches: which sets are in one, what looking proves, carrying out and undoing."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from dedup import batches, decisions, placing, runs, sets
from dedup.models import (
    Batch,
    BatchRun,
    Comparison,
    Decision,
    DuplicateSet,
    Look,
    Member,
    Turn,
    Verdict,
)
from gallery import vault as vaults
from gallery.models import Favourite, ImportRun, Outcome, Photo, Source, SourceFile
from tests.dedup import rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("vault")]


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna")


def seen(photo: Photo, path: str, *, label: str = "Blue WD") -> None:
    source = Source.objects.get_or_create(label=label)[0]
    run = ImportRun.objects.get_or_create(source=source)[0]
    SourceFile.objects.create(
        source=source,
        path=path,
        path_key=f"{label}{path}"[-32:],
        outcome=Outcome.IMPORTED,
        photo=photo,
        first_run=run,
        last_run=run,
    )


TINY = (16, 12)


def photo(number: int, **facts) -> Photo:
    image = rows.pictures.scene(seed=1, size=TINY)
    return rows.photo(image, seed=number, tail=number.to_bytes(3), **facts)


def pair(number: int, *, relation: str = "resized", **values) -> DuplicateSet:
    """An open set: a camera's photo and a smaller copy from a messenger."""
    keeper = photo(2 * number, width=4000, height=3000, camera_make="Canon")
    copy = photo(2 * number + 1, width=1600, height=1200)
    seen(keeper, f"DCIM/{number}.jpg")
    seen(copy, f"WhatsApp Images/{number}.jpg")
    made = rows.duplicate_set([keeper, copy])
    values = {"relation": relation, "confidence": 0.99} | values
    DuplicateSet.objects.filter(pk=made.pk).update(**values)
    made.members.filter(is_keeper=False).update(relation=relation)
    return made


def placed(count: int, start: int = 0, **values) -> list[DuplicateSet]:
    made = [pair(number, **values) for number in range(start, start + count)]
    place()
    return [DuplicateSet.objects.get(pk=one.pk) for one in made]


def place() -> None:
    while placing.place_some():
        pass


def say(batch: Batch, anna: User, what: str = runs.RIGHT, count: int = 99) -> None:
    shown = runs.sample(batch)
    said = {one.pk: (what, one.revision) for one in shown.drawn[:count]}
    runs.look(batch, said, by=anna)


def carry_out(batch: Batch, anna: User, *, looks: bool = True) -> BatchRun:
    while looks and not runs.proof(batch).is_enough:
        say(batch, anna)
    run = runs.begin(batch, version=runs.sample(batch).version, by=anna)
    finish(run)
    return BatchRun.objects.get(pk=run.pk)


def finish(run: BatchRun) -> None:
    while runs.step(run.pk):
        pass


def everything() -> dict[str, list]:
    models = (Photo, DuplicateSet, Member, Verdict, Favourite)
    return {one.__name__: list(one.objects.order_by("pk").values()) for one in models}


# Being placed


def test_like_sets_are_one_batch(anna):
    one, other = placed(2)
    assert one.batch == other.batch
    [found] = runs.summaries()
    assert (found.sets, found.bytes_to_gain) == (
        2,
        one.bytes_to_gain + other.bytes_to_gain,
    )
    batch = one.batch
    assert (batch.keeper_folder, batch.other_folder) == ("DCIM", "WhatsApp Images")
    assert (batch.other_long, batch.other_short) == (1600, 1200)
    assert str(batch.keeper_source) == "Blue WD"


def test_the_safe_batch_comes_first_though_it_is_small():
    placed(3)
    [safe] = placed(1, start=10, relation="same_pixels")
    assert runs.summaries()[0].batch == safe.batch
    assert safe.batch.is_safe


@pytest.mark.parametrize(
    "values",
    [{"kind": "similar_shots"}, {"confidence": 0.5}, {"relation": "damaged"}],
    ids=str,
)
def test_promise_08_no_batch_has_what_is_to_be_looked_at(values):
    [one] = placed(1, **values)
    assert one.batch is None
    assert one.position


def test_a_problem_of_one_file_keeps_its_set_out():
    one = pair(1)
    Photo.objects.filter(pk=one.members.last().photo_id).update(problem="cut short")
    place()
    one.refresh_from_db()
    assert one.batch is None


def test_a_set_made_of_pairs_has_its_batch_at_once():
    keeper = photo(1, width=4000, height=3000, camera_make="Canon")
    copy = photo(2, width=1600, height=1200)
    rows.match(keeper, copy)
    sets.regroup()
    assert DuplicateSet.objects.get().batch is not None
    assert not DuplicateSet.objects.unplaced().exists()


def test_a_set_that_changes_joins_anew_and_one_that_does_not_stays():
    one, other = placed(2)
    with Turn.taken():
        placing.place([one.pk])
    assert DuplicateSet.objects.get(pk=one.pk).joined == one.joined
    DuplicateSet.objects.filter(pk=other.pk).update(revision=2)
    with Turn.taken():
        placing.place([one.pk, other.pk])
    other.refresh_from_db()
    assert other.joined > one.joined
    assert other.joined == Batch.objects.get().version


def test_placing_asks_no_more_for_more_sets(django_assert_max_num_queries):
    placed(1)
    for number in range(2, 22):
        pair(number)
    with django_assert_max_num_queries(14):
        placing.place_some()


# Looking


def test_the_sample_is_random_and_stays_the_same(anna):
    made = placed(30)
    batch = made[0].batch
    drawn = [one.pk for one in runs.sample(batch).drawn]
    assert drawn == [one.pk for one in runs.sample(batch).drawn]
    assert len(drawn) == runs.SAMPLE
    assert drawn != [one.pk for one in made][: runs.SAMPLE]


def test_the_most_doubtful_are_shown_beside_the_sample(anna):
    made = placed(40)
    drawn = {one.pk for one in runs.sample(made[0].batch).drawn}
    doubtful = next(one for one in made if one.pk not in drawn)
    DuplicateSet.objects.filter(pk=doubtful.pk).update(confidence=0.9)
    assert runs.sample(made[0].batch).doubtful[0] == doubtful


def test_looking_proves_something(anna):
    batch = placed(30)[0].batch
    assert not runs.proof(batch).is_enough
    say(batch, anna)
    found = runs.proof(batch)
    assert (found.looked, found.wrong, found.is_enough) == (20, 0, True)
    assert found.most_wrong == pytest.approx(13.9, abs=0.1)
    say(batch, anna)
    assert runs.proof(batch).is_complete


def test_only_an_unbroken_sample_counts(anna):
    batch = placed(30)[0].batch
    shown = runs.sample(batch)
    said = {one.pk: (runs.RIGHT, one.revision) for one in shown.drawn[1:]}
    said |= {one.pk: (runs.RIGHT, one.revision) for one in shown.doubtful}
    runs.look(batch, said, by=anna)
    assert runs.proof(batch).looked == 0
    assert runs.sample(batch).drawn[0] == shown.drawn[0]


def test_who_comes_in_later_is_looked_at_in_its_turn(anna):
    batch = placed(25)[0].batch
    say(batch, anna)
    looked = runs.proof(batch).looked
    placed(60, start=100)
    assert runs.proof(batch).looked < looked


def test_what_is_not_the_same_leaves_with_a_verdict(anna):
    batch = placed(30)[0].batch
    first = runs.sample(batch).drawn[0]
    say(batch, anna, runs.NOT_SAME, count=1)
    first.refresh_from_db()
    assert first.state == "dismissed"
    assert Verdict.objects.get().says == "not_duplicates"
    say(batch, anna)
    found = runs.proof(batch)
    assert (found.looked, found.wrong) == (21, 1)


def test_what_is_to_be_looked_at_later_leaves_without_a_verdict(anna):
    batch = placed(30)[0].batch
    first = runs.sample(batch).drawn[0]
    say(batch, anna, runs.LATER, count=1)
    first.refresh_from_db()
    assert (first.state, first.batch) == ("open", None)
    assert not Verdict.objects.exists()
    place()
    assert DuplicateSet.objects.get(pk=first.pk).batch is None


def test_a_look_at_what_has_changed_does_not_count(anna):
    batch = placed(30)[0].batch
    first = runs.sample(batch).drawn[0]
    said = {first.pk: (runs.RIGHT, first.revision + 1), 999: (runs.RIGHT, 1)}
    assert runs.look(batch, said, by=anna)[runs.RIGHT] == 0
    assert not Look.objects.exists()


# Carrying out


def test_a_batch_is_carried_out_and_undone_as_one(anna):
    made = placed(60)
    Favourite.objects.create(user=anna, photo=made[0].members.last().photo)
    batch = made[0].batch
    before = everything()
    run = carry_out(batch, anna)
    assert (run.state, run.done, run.left_out) == ("finished", 60, 0)
    assert run.discarded == 60
    assert not DuplicateSet.objects.open().exists()
    assert Photo.objects.trashed().count() == 60
    runs.begin_undo(run, by=anna)
    finish(run)
    run.refresh_from_db()
    assert (run.state, run.undone) == ("undone", 60)
    assert everything() == before


def test_promise_08_nothing_is_carried_out_unseen(anna):
    batch = placed(30)[0].batch
    with pytest.raises(runs.NotNow):
        runs.begin(batch, version=99, by=anna)
    say(batch, anna, count=batches.MUST_LOOK - 1)
    with pytest.raises(runs.NotNow):
        runs.begin(batch, version=99, by=anna)


def test_the_safe_batch_needs_no_look(anna):
    [one, *_] = placed(3, relation="same_pixels")
    assert carry_out(one.batch, anna, looks=False).done == 3


def test_what_came_after_the_page_was_shown_is_left_alone(anna):
    batch = placed(21)[0].batch
    say(batch, anna)
    say(batch, anna)
    version = runs.sample(batch).version
    [late] = placed(1, start=100)
    run = runs.begin(batch, version=version, by=anna)
    finish(run)
    assert list(DuplicateSet.objects.open()) == [late]


def test_what_changes_while_it_is_carried_out_is_left_out_and_said(anna):
    made = placed(21, relation="same_pixels")
    batch = made[0].batch
    run = runs.begin(batch, version=runs.sample(batch).version, by=anna)
    changed, decided = made[:2]
    DuplicateSet.objects.filter(pk=changed.pk).update(revision=2)
    with Turn.taken():
        placing.place([changed.pk])
    decisions.dismiss(decided, by=anna)
    finish(run)
    run.refresh_from_db()
    assert (run.done, run.left_out) == (19, 2)
    changed.refresh_from_db()
    assert changed.is_open


def test_what_cannot_be_carried_out_is_left_and_says_why(anna, settings):
    made = placed(3, relation="same_pixels")
    keeper = made[1].members.first().photo
    vaults.original(settings.IMAGEVAULT_DATA, keeper.digest, "jpg").unlink()
    run = carry_out(made[0].batch, anna)
    assert (run.done, run.refused) == (2, 1)
    assert run.refusals[0]["set"] == made[1].pk
    assert "not in the vault" in run.refusals[0]["reason"]
    assert DuplicateSet.objects.open().get() == made[1]


def test_what_was_taken_back_by_itself_is_not_done_again(anna):
    made = placed(3, relation="same_pixels")
    batch = made[0].batch
    run = carry_out(batch, anna)
    decisions.undo(run.decisions.get(duplicate_set=made[1]), by=anna)
    again = carry_out(batch, anna)
    assert (again.done, again.refused) == (0, 1)
    assert DuplicateSet.objects.open().get() == made[1]


def test_what_was_undone_as_a_batch_can_be_carried_out_again(anna):
    made = placed(3, relation="same_pixels")
    run = carry_out(made[0].batch, anna)
    runs.begin_undo(run, by=anna)
    finish(run)
    assert carry_out(made[0].batch, anna).done == 3


def test_promise_10_a_run_that_was_killed_goes_on(anna, monkeypatch):
    monkeypatch.setattr(runs, "AT_ONCE", 4)
    made = placed(10, relation="same_pixels")
    batch = made[0].batch
    run = runs.begin(batch, version=runs.sample(batch).version, by=anna)
    runs.step(run.pk)
    real = decisions.Comparison.objects.matches

    def killed():
        raise KeyboardInterrupt

    before = everything()
    with monkeypatch.context() as patch:
        patch.setattr(decisions.Comparison.objects, "matches", killed)
        with pytest.raises(KeyboardInterrupt):
            runs.step(run.pk)
    assert everything() == before
    assert real
    finish(run)
    run.refresh_from_db()
    assert (run.done, run.state) == (10, "finished")
    assert Decision.objects.count() == 10


def test_a_run_can_be_stopped_and_what_was_done_undone(anna, monkeypatch):
    monkeypatch.setattr(runs, "AT_ONCE", 4)
    batch = placed(10, relation="same_pixels")[0].batch
    before = everything()
    run = runs.begin(batch, version=runs.sample(batch).version, by=anna)
    runs.step(run.pk)
    runs.stop(run)
    assert not runs.step(run.pk)
    run.refresh_from_db()
    assert (run.state, run.done) == ("cancelled", 4)
    with pytest.raises(runs.NotNow):
        runs.stop(run)
    runs.begin_undo(run, by=anna)
    finish(run)
    assert everything() == before


def test_a_batch_is_carried_out_once_at_a_time(anna):
    batch = placed(3, relation="same_pixels")[0].batch
    version = runs.sample(batch).version
    runs.begin(batch, version=version, by=anna)
    with pytest.raises(runs.NotNow):
        runs.begin(batch, version=version, by=anna)


def test_a_later_run_needs_looks_of_its_own(anna):
    batch = placed(25)[0].batch
    carry_out(batch, anna)
    placed(30, start=100)
    assert runs.proof(batch).looked == 0


def test_what_cannot_be_undone_is_said(anna):
    made = placed(3, relation="same_pixels")
    run = carry_out(made[0].batch, anna)
    gone = made[1].members.last().photo
    Photo.objects.filter(pk=gone.pk).update(purged_at=run.at)
    runs.begin_undo(run, by=anna)
    finish(run)
    run.refresh_from_db()
    assert (run.state, run.undone, run.refused) == ("finished", 2, 1)
    assert "purged" in run.refusals[0]["reason"]


def test_two_sets_with_one_photo_are_not_decided_together(anna):
    one, other = placed(2, relation="same_pixels")
    Member.objects.filter(pk=other.members.last().pk).update(
        photo=one.members.first().photo
    )
    made, left = decisions.resolve_as_suggested([one.pk, other.pk], by=anna)
    assert (len(made), len(left)) == (1, 1)


def test_pairs_that_wait_are_asked_again_after_a_batch(anna):
    made = placed(2, relation="same_pixels")
    keepers = [one.members.first().photo for one in made]
    found = rows.match(*keepers)
    Comparison.objects.update(is_grouped=True)
    carry_out(made[0].batch, anna)
    found.refresh_from_db()
    assert not found.is_grouped
