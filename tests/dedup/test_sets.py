"""Sets: who belongs together, and what happens when more is known."""

import pytest

from dedup import decisions, scan, sets
from dedup.admin import SURE
from dedup.models import Choice, Comparison, DuplicateSet, Kind, Member
from dedup.relation import Name
from tests.dedup import rows
from tests.gallery.rows import sighting

pytestmark = pytest.mark.django_db


@pytest.fixture
def several(vault):
    """Five photos; the earlier ones are larger and so the better keepers."""
    return [
        rows.photo(seed=seed, width=4000 - 500 * seed, height=3000 - 375 * seed)
        for seed in range(5)
    ]


def regroup() -> None:
    while sets.regroup():
        pass


def open_sets() -> dict[int, list[int]]:
    """Keeper to the other members of each open set."""
    found = {}
    for one in DuplicateSet.objects.open():
        keeper, *others = one.members.order_by("place")
        assert keeper.is_keeper
        assert not any(member.is_keeper for member in others)
        found[keeper.photo_id] = [member.photo_id for member in others]
    return found


def decide(photo_id: int, choices: dict[int, str], *, by):
    one = Member.objects.get(photo=photo_id, duplicate_set__state="open").duplicate_set
    return decisions.resolve(one, choices, by=by)


def test_a_match_becomes_a_set_with_a_suggestion(several):
    one, other, *_ = several
    rows.match(one, other, name=Name.RESIZED)
    regroup()
    made = DuplicateSet.objects.get()
    keeper, copy = made.members.order_by("place")
    assert (keeper.photo, keeper.suggestion) == (one, Choice.KEEP)
    assert (copy.suggestion, copy.relation) == (Choice.DISCARD, Name.RESIZED)
    assert "largest" in keeper.reason
    assert (made.size, made.bytes_to_gain) == (2, other.size)
    assert made.relation == Name.RESIZED


def test_promise_07_every_member_matches_its_keeper(several):
    one, two, three, *_ = several
    rows.match(one, two)
    rows.match(two, three)
    regroup()
    assert open_sets() == {one.pk: [two.pk]}


def test_a_raw_and_its_jpeg_are_one_shot_and_no_question(several):
    raw, jpeg, copy, *_ = several
    raw.update_facts(format="NEF")
    sighting(raw, path="DCIM/DSC_1.NEF")
    sighting(jpeg, path="DCIM/DSC_1.JPG")
    for one, other in ((raw, jpeg), (raw, copy), (jpeg, copy)):
        rows.match(one, other)
    regroup()
    assert open_sets() == {raw.pk: [copy.pk]}


def test_a_keeper_is_compared_with_what_only_its_copy_matches(several):
    one, two, three, *_ = several
    rows.match(one, two)
    rows.match(two, three)
    regroup()
    proposed = Comparison.objects.get(road="copy")
    assert proposed.pair == (one.pk, three.pk)
    assert proposed.distance is None
    proposed.delete()
    rows.match(one, three)
    regroup()
    assert open_sets() == {one.pk: [two.pk, three.pk]}


def test_promise_08_similar_shots_are_a_set_of_their_own(several):
    one, two, three, *_ = several
    rows.match(one, two)
    rows.match(one, three, kind=Kind.SIMILAR_SHOTS, separates=True)
    rows.match(two, three, kind=Kind.SIMILAR_SHOTS, separates=True)
    regroup()
    assert open_sets() == {one.pk: [two.pk]}


def test_similar_shots_are_all_suggested_to_stay(several):
    one, two, *_ = several
    rows.match(one, two, kind=Kind.SIMILAR_SHOTS, separates=True)
    regroup()
    assert DuplicateSet.objects.get().kind == Kind.SIMILAR_SHOTS
    assert set(Member.objects.values_list("suggestion", flat=True)) == {Choice.KEEP}


def test_unlike_photos_make_no_set(several):
    rows.match(several[0], several[1], kind=Kind.DISTINCT)
    regroup()
    assert not DuplicateSet.objects.exists()
    assert not Comparison.objects.to_group().exists()


def test_another_copy_joins_the_open_set(several):
    one, two, three, *_ = several
    rows.match(one, two)
    regroup()
    made = DuplicateSet.objects.get()
    rows.match(one, three)
    regroup()
    assert open_sets() == {one.pk: [two.pk, three.pk]}
    again = DuplicateSet.objects.get()
    assert again.pk == made.pk
    assert again.revision == made.revision + 1


def test_promise_10_grouping_twice_leaves_the_same_rows(several):
    one, two, three, *_ = several
    rows.match(one, two)
    rows.match(one, three)
    regroup()
    before = list(DuplicateSet.objects.values()), list(Member.objects.values())
    Comparison.objects.update(is_grouped=False)
    regroup()
    assert (list(DuplicateSet.objects.values()), list(Member.objects.values())) == (
        before
    )


def test_sets_merge_when_a_better_keeper_comes(several):
    best, a, b, c, d = several
    rows.match(a, b)
    rows.match(c, d)
    regroup()
    assert len(open_sets()) == 2
    for row in (a, b, c, d):
        rows.match(best, row)
    regroup()
    assert open_sets() == {best.pk: [a.pk, b.pk, c.pk, d.pk]}


def test_a_pair_that_turns_out_unlike_leaves_its_set(several):
    one, two, *_ = several
    pair = rows.match(one, two)
    regroup()
    pair.delete()
    rows.match(one, two, kind=Kind.DISTINCT)
    regroup()
    assert not DuplicateSet.objects.exists()


def test_promise_06_a_newcomer_asks_only_about_itself(several, admin_user):
    keeper, copy, newcomer, *_ = several
    rows.match(keeper, copy)
    regroup()
    decide(keeper.pk, {keeper.pk: "keep", copy.pk: "discard"}, by=admin_user)
    rows.match(keeper, newcomer)
    rows.match(copy, newcomer)
    regroup()
    assert open_sets() == {keeper.pk: [newcomer.pk]}
    assert DuplicateSet.objects.filter(state="resolved").count() == 1


def test_promise_06_a_dismissed_pair_is_not_asked_again(several, admin_user):
    one, two, *_ = several
    rows.match(one, two)
    regroup()
    decisions.dismiss(DuplicateSet.objects.get(), by=admin_user)
    Comparison.objects.all().delete()
    rows.match(one, two)
    regroup()
    assert open_sets() == {}


def test_promise_06_a_restored_photo_is_not_asked_about_again(several, admin_user):
    one, two, *_ = several
    rows.match(one, two)
    regroup()
    decide(one.pk, {one.pk: "keep", two.pk: "discard"}, by=admin_user)
    two.refresh_from_db()
    two.restore()
    scan.sweep()
    Comparison.objects.update(is_grouped=False)
    regroup()
    assert open_sets() == {}


def test_a_newcomer_between_two_kept_is_asked_about_once_more(several, admin_user):
    one, two, newcomer, *_ = several
    rows.match(one, two)
    regroup()
    decide(one.pk, {one.pk: "keep", two.pk: "keep"}, by=admin_user)
    rows.match(one, newcomer)
    rows.match(two, newcomer)
    regroup()
    assert open_sets() == {one.pk: [newcomer.pk]}
    decide(one.pk, {one.pk: "keep", newcomer.pk: "keep"}, by=admin_user)
    regroup()
    assert open_sets() == {two.pk: [newcomer.pk]}


def test_a_photo_trashed_elsewhere_leaves_its_set(several, admin_user):
    one, two, three, *_ = several
    rows.match(one, two)
    rows.match(one, three)
    regroup()
    three.move_to_trash(by=admin_user, in_favour_of=one)
    scan.sweep()
    regroup()
    assert open_sets() == {one.pk: [two.pk]}
    two.move_to_trash(by=admin_user, in_favour_of=one)
    scan.sweep()
    regroup()
    assert open_sets() == {}


def test_promise_05_an_undone_set_takes_in_what_came_since(several, admin_user):
    keeper, copy, newcomer, *_ = several
    rows.match(keeper, copy)
    regroup()
    decision = decide(keeper.pk, {keeper.pk: "keep", copy.pk: "discard"}, by=admin_user)
    rows.match(keeper, newcomer)
    regroup()
    decisions.undo(decision, by=admin_user)
    regroup()
    assert open_sets() == {keeper.pk: [copy.pk, newcomer.pk]}


@pytest.mark.parametrize(
    ("name", "camera", "other", "is_sure"),
    [
        (Name.RECOLOURED, "", "", False),
        (Name.EDITED, "", "", False),
        (Name.MIRRORED, "", "", False),
        (Name.RECOLOURED, "Canon", "", True),
        # What an editor saves may keep the camera's data.
        (Name.RECOLOURED, "Canon", "Canon", False),
        (Name.RESAVED, "", "", True),
    ],
)
def test_which_of_two_was_altered_is_not_guessed(vault, name, camera, other, is_sure):
    one = rows.photo(seed=0, width=4000, height=3000, camera_make=camera)
    rows.match(one, rows.photo(seed=1, camera_make=other), name=name)
    regroup()
    # Only sure sets can be carried out many at a time.
    assert (DuplicateSet.objects.get().confidence >= SURE) == is_sure


def test_a_crowd_comes_together_though_each_was_compared_with_few(db, vault):
    photos = [
        rows.bare_photo(number, width=100, height=100, size=9_000 - number)
        for number in range(40)
    ]
    for place, photo in enumerate(photos):
        for other in photos[place + 1 : place + 4]:
            rows.match(photo, other)
    for _ in range(20):
        while sets.regroup():
            pass
        asked = Comparison.objects.filter(recipe=0)
        if not asked:
            break
        for pair in asked.select_related("left", "right"):
            pair.delete()
            rows.match(pair.left, pair.right)
    assert DuplicateSet.objects.get().size == len(photos)
    assert Comparison.objects.count() < 6 * len(photos)


def test_a_scene_is_made_once_for_all_its_pairs(several, monkeypatch):
    monkeypatch.setattr(sets, "AT_ONCE", 1)
    keeper, *others = several
    for other in others:
        rows.match(keeper, other)
    assert sets.regroup() == len(others)
    assert sets.regroup() == 0
