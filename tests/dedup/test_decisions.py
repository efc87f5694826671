"""Deciding and undoing."""

from datetime import datetime

import pytest

from dedup import decisions
from dedup.models import Choice, Decision, DuplicateSet, Member, Says, Verdict, pair_of
from gallery import dating
from gallery import vault as vaults
from gallery.models import Origin, Photo, Precision
from tests.dedup import rows

pytestmark = pytest.mark.django_db

KEEP, DISCARD = Choice.KEEP, Choice.DISCARD


@pytest.fixture
def trio(vault) -> DuplicateSet:
    """A keeper and two copies of it, all in the vault."""
    return rows.duplicate_set([rows.photo(seed=seed) for seed in range(3)])


def photos(duplicate_set: DuplicateSet) -> list[Photo]:
    members = duplicate_set.members.select_related("photo").order_by("place")
    return [member.photo for member in members]


def resolve(duplicate_set, *choices, by, **options) -> Decision:
    chosen = zip(photos(duplicate_set), choices, strict=True)
    return decisions.resolve(
        duplicate_set, {row.pk: choice for row, choice in chosen}, by=by, **options
    )


def everything() -> dict[str, list]:
    """Every row that a decision may touch, but for the decisions themselves."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Photo, DuplicateSet, Member, Verdict)
    }


def test_discarded_photos_go_to_the_trash_in_favour_of_the_keeper(trio, admin_user):
    resolve(trio, KEEP, DISCARD, DISCARD, by=admin_user)
    keeper, *others = photos(trio)
    assert keeper.is_live
    assert {row.in_favour_of for row in others} == {keeper}
    assert {row.trashed_by for row in others} == {admin_user}


def test_a_resolved_set_says_who_closed_it(trio, admin_user):
    resolve(trio, KEEP, DISCARD, DISCARD, by=admin_user)
    trio.refresh_from_db()
    assert (trio.state, trio.closed_by) == ("resolved", admin_user)


def test_a_copy_yields_to_the_kept_one_it_matches_best(trio, admin_user):
    keeper, second, third = photos(trio)
    rows.match(keeper, third, confidence=0.8)
    rows.match(second, third, confidence=0.95)
    resolve(trio, KEEP, KEEP, DISCARD, by=admin_user)
    third.refresh_from_db()
    assert third.in_favour_of == second


def test_another_member_may_be_kept_than_the_suggested(trio, admin_user):
    resolve(trio, DISCARD, DISCARD, KEEP, by=admin_user)
    assert [row.is_live for row in photos(trio)] == [False, False, True]


def test_promise_04_something_is_kept(trio, admin_user):
    before = everything()
    with pytest.raises(decisions.KeepNone):
        resolve(trio, DISCARD, DISCARD, DISCARD, by=admin_user)
    assert everything() == before


def test_promise_04_what_is_kept_lies_in_the_vault(trio, admin_user, settings):
    keeper = photos(trio)[0]
    path = vaults.original(settings.IMAGEVAULT_DATA, keeper.digest, "jpg")
    path.unlink()
    before = everything()
    with pytest.raises(decisions.KeeperMissing):
        resolve(trio, KEEP, DISCARD, DISCARD, by=admin_user)
    assert everything() == before


def test_promise_04_what_is_kept_is_live(trio, admin_user):
    keeper, second, _ = photos(trio)
    keeper.move_to_trash(by=admin_user, in_favour_of=second)
    with pytest.raises(decisions.KeeperMissing):
        resolve(trio, KEEP, DISCARD, DISCARD, by=admin_user)


@pytest.mark.parametrize(
    "choices",
    [[KEEP, DISCARD, Choice.UNDECIDED], [KEEP, DISCARD, "purge"]],
    ids=["undecided", "nonsense"],
)
def test_every_photo_needs_a_choice(trio, admin_user, choices):
    with pytest.raises(decisions.Refused):
        resolve(trio, *choices, by=admin_user)


def test_choices_for_other_photos_are_refused(trio, admin_user):
    chosen = {row.pk: KEEP for row in photos(trio)[:2]}
    with pytest.raises(decisions.SetChanged):
        decisions.resolve(trio, chosen, by=admin_user)


def test_a_set_that_changed_since_it_was_shown_is_left_alone(trio, admin_user):
    DuplicateSet.objects.update(revision=2)
    before = everything()
    with pytest.raises(decisions.SetChanged):
        resolve(trio, KEEP, DISCARD, DISCARD, by=admin_user, seen=1)
    with pytest.raises(decisions.SetChanged):
        decisions.dismiss(trio, by=admin_user, seen=1)
    assert everything() == before


def test_a_set_is_decided_once(trio, admin_user):
    resolve(trio, KEEP, DISCARD, DISCARD, by=admin_user)
    with pytest.raises(decisions.SetChanged, match="decided by admin"):
        decisions.dismiss(trio, by=admin_user)


def test_a_set_that_is_gone_is_said_to_be(trio, admin_user):
    chosen = {row.pk: KEEP for row in photos(trio)}
    DuplicateSet.objects.all().delete()
    with pytest.raises(decisions.SetChanged):
        decisions.resolve(trio, chosen, by=admin_user)


def test_promise_06_every_pair_of_a_resolved_set_is_answered(trio, admin_user):
    resolve(trio, KEEP, KEEP, DISCARD, by=admin_user)
    first, second, third = (row.digest for row in photos(trio))
    assert {verdict.pair: verdict.says for verdict in Verdict.objects.all()} == {
        pair_of(first, second): Says.BOTH_KEPT,
        pair_of(first, third): Says.SAME,
        pair_of(second, third): Says.SAME,
    }


def test_dismissing_keeps_every_photo(trio, admin_user):
    decisions.dismiss(trio, by=admin_user)
    assert all(row.is_live for row in photos(trio))
    assert set(Verdict.objects.values_list("says", flat=True)) == {"not_duplicates"}
    trio.refresh_from_db()
    assert trio.state == "dismissed"


def test_the_keeper_gains_the_better_date_and_the_position(vault, admin_user):
    keeper = rows.photo(
        seed=1,
        taken_at=datetime(2019, 3, 13),
        taken_from=Origin.MODIFICATION_TIME,
        taken_precision=Precision.SECOND,
    )
    copy = rows.photo(
        seed=2,
        taken_at=datetime(2004, 7, 12, 9, 30),
        taken_from=Origin.EXIF_ORIGINAL,
        taken_precision=Precision.SECOND,
        latitude=41.5,
        longitude=-2.25,
    )
    resolve(rows.duplicate_set([keeper, copy]), KEEP, DISCARD, by=admin_user)
    keeper.refresh_from_db()
    assert keeper.taken_at == datetime(2004, 7, 12, 9, 30)
    assert keeper.taken_from == Origin.EXIF_ORIGINAL
    assert (keeper.latitude, keeper.longitude) == (41.5, -2.25)
    # It is known from whom, and weighed again it stays.
    assert keeper.date_evidence.get().said == copy.name
    assert dating.weigh_again([keeper]) == []
    decisions.undo(Decision.objects.get(), by=admin_user)
    assert not keeper.date_evidence.exists()


@pytest.mark.parametrize(
    ("ours", "theirs", "moves"),
    [
        (("exif_original", "second", 2004), ("file_name", "day", 2001), False),
        (("file_name", "day", 2004), ("file_name", "second", 2005), True),
        (("file_name", "day", 2004), ("file_name", "day", 2001), False),
        (
            ("modification_time", "second", 2019),
            ("modification_time", "second", 2009),
            True,
        ),
        (
            ("modification_time", "second", 2009),
            ("modification_time", "second", 2019),
            False,
        ),
        (("exif_original", "second", 2004), ("none", "unknown", None), False),
        (("exif_original", "second", 2000), ("exif_original", "second", 2004), True),
        (("exif_original", "second", 2004), ("exif_original", "second", 2003), False),
    ],
)
def test_a_weaker_date_moves_nothing(vault, admin_user, ours, theirs, moves):
    keeper, copy = (
        rows.photo(
            seed=seed,
            taken_from=origin,
            taken_precision=precision,
            taken_at=year and datetime(year, 1, 1, 9, 30),
        )
        for seed, (origin, precision, year) in enumerate((ours, theirs))
    )
    resolve(rows.duplicate_set([keeper, copy]), KEEP, DISCARD, by=admin_user)
    keeper.refresh_from_db()
    assert (keeper.taken_at == copy.taken_at) == moves


def test_facts_stay_where_they_are_between_similar_shots(vault, admin_user):
    keeper = rows.photo(seed=1)
    other = rows.photo(seed=2, latitude=41.5, longitude=-2.25)
    shots = rows.duplicate_set([keeper, other], kind="similar_shots")
    resolve(shots, KEEP, DISCARD, by=admin_user)
    keeper.refresh_from_db()
    assert keeper.latitude is None


def test_promise_05_undo_gives_back_every_row(trio, admin_user):
    keeper, second, _ = photos(trio)
    second.update_facts(
        taken_at=datetime(2004, 7, 12),
        taken_from=Origin.EXIF_ORIGINAL,
        taken_precision=Precision.SECOND,
        latitude=1.5,
        longitude=2.5,
    )
    left, right = pair_of(keeper.digest, second.digest)
    Verdict.objects.create(left_digest=left, right_digest=right, says="both_kept")
    before = everything()
    decision = resolve(trio, KEEP, DISCARD, DISCARD, by=admin_user)
    assert everything() != before
    decisions.undo(decision, by=admin_user)
    assert everything() == before


def test_promise_05_undo_gives_back_a_dismissed_set(trio, admin_user):
    before = everything()
    decision = decisions.dismiss(trio, by=admin_user)
    decisions.undo(decision, by=admin_user)
    assert everything() == before
    assert Decision.objects.get().undone_by == admin_user


def test_a_decision_is_undone_once(trio, admin_user):
    decision = decisions.dismiss(trio, by=admin_user)
    decisions.undo(decision, by=admin_user)
    with pytest.raises(decisions.CannotUndo, match="already"):
        decisions.undo(decision, by=admin_user)


def test_a_decision_that_a_later_one_builds_on_is_not_undone(trio, admin_user):
    keeper = photos(trio)[0]
    first = resolve(trio, KEEP, DISCARD, DISCARD, by=admin_user)
    newer = rows.duplicate_set([rows.photo(seed=9), keeper])
    later = resolve(newer, KEEP, DISCARD, by=admin_user)
    with pytest.raises(decisions.CannotUndo, match=f"first: {later} "):
        decisions.undo(first, by=admin_user)
    decisions.undo(later, by=admin_user)
    decisions.undo(first, by=admin_user)
    assert all(row.is_live for row in photos(trio))


def test_nothing_is_undone_after_a_purge(trio, admin_user):
    decision = resolve(trio, KEEP, KEEP, DISCARD, by=admin_user)
    Photo.objects.trashed().update(purged_at=datetime.now().astimezone())
    before = everything()
    with pytest.raises(decisions.CannotUndo, match="purged"):
        decisions.undo(decision, by=admin_user)
    assert everything() == before


def test_undo_leaves_a_better_date_that_came_later(vault, admin_user):
    keeper = rows.photo(seed=1)
    copy = rows.photo(
        seed=2,
        taken_at=datetime(2004, 7, 12),
        taken_from=Origin.FILE_NAME,
        taken_precision=Precision.DAY,
    )
    made = rows.duplicate_set([keeper, copy])
    decision = resolve(made, KEEP, DISCARD, by=admin_user)
    learned = datetime(2004, 7, 12, 9, 30)
    Photo.objects.filter(pk=keeper.pk).update(
        taken_at=learned, taken_from=Origin.EXIF_ORIGINAL
    )
    decisions.undo(decision, by=admin_user)
    keeper.refresh_from_db()
    assert keeper.taken_at == learned
