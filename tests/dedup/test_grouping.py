from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from dedup.grouping import UNCERTAIN, Match, group
from dedup.relation import Kind

PHOTOS = range(8)
SAME, SIMILAR = Kind.DUPLICATES, Kind.SIMILAR_SHOTS


@st.composite
def measured(draw) -> list[Match]:
    pairs = draw(st.sets(st.sampled_from(list(combinations(PHOTOS, 2)))))
    kinds = st.sampled_from([SAME, SAME, SIMILAR, Kind.DISTINCT])
    return [
        Match(
            left,
            right,
            kind := draw(kinds),
            strength=draw(st.sampled_from([0.9, 0.95, 0.999, 1.0])),
            confidence=draw(st.sampled_from([0.6, 0.95])),
            separates=kind == SIMILAR and draw(st.booleans()),
            unlike=kind == SIMILAR,
        )
        for left, right in sorted(pairs)
    ]


def rank(seed: int = 0) -> dict[int, int]:
    return {photo: (photo * 5 + seed) % 8 for photo in PHOTOS}


def same(left: int, right: int, strength: float = 1.0) -> Match:
    return Match(left, right, SAME, strength=strength)


def apart(left: int, right: int) -> Match:
    return Match(left, right, SIMILAR, separates=True)


@given(measured())
def test_promise_07_every_member_matches_its_keeper(matches):
    kinds = {frozenset((m.left, m.right)): m.kind for m in matches}
    for found in group(matches, rank=rank()):
        for photo, _ in found.others:
            assert kinds[frozenset((found.keeper, photo))] == found.kind


@given(measured())
def test_promise_08_two_shots_never_share_a_set_of_duplicates(matches):
    shots = {frozenset((m.left, m.right)) for m in matches if m.separates}
    for found in group(matches, rank=rank()):
        if found.kind == SAME:
            assert not shots & {frozenset(p) for p in combinations(found.photos, 2)}


@given(measured(), st.sets(st.sampled_from(list(combinations(PHOTOS, 2)))))
def test_promise_06_answered_pairs_are_not_brought_together(matches, parted):
    answered = {frozenset(pair) for pair in parted}
    for found in group(matches, rank=rank(), parted=parted):
        assert not answered & {frozenset(p) for p in combinations(found.photos, 2)}


@given(measured())
def test_no_photo_is_in_two_sets(matches):
    photos = [photo for one in group(matches, rank=rank()) for photo in one.photos]
    assert len(photos) == len(set(photos))


@given(measured(), st.randoms(use_true_random=False))
def test_the_order_of_the_matches_does_not_matter(matches, random):
    expected = group(matches, rank=rank())
    random.shuffle(matches)
    turned = [replace(m, left=m.right, right=m.left) for m in matches]
    assert [(g.kind, g.photos) for g in group(turned, rank=rank())] == [
        (g.kind, g.photos) for g in expected
    ]


def test_the_best_photo_is_the_keeper():
    found = group([same(0, 1), same(1, 2), same(0, 2)], rank={0: 2, 1: 0, 2: 1})
    assert [(g.keeper, set(g.photos)) for g in found] == [(1, {0, 1, 2})]


def test_a_copy_goes_to_the_frame_it_agrees_with_best():
    matches = [apart(0, 1), same(0, 2, 0.97), same(1, 2, 0.999)]
    found = group(matches, rank={0: 0, 1: 1, 2: 2})
    assert [g.photos for g in found if g.kind == SAME] == [(1, 2)]


def test_a_copy_that_fits_two_frames_alike_is_uncertain():
    matches = [apart(0, 1), same(0, 2, 0.999), same(1, 2, 0.9995)]
    [found] = [g for g in group(matches, rank={0: 0, 1: 1, 2: 2}) if g.kind == SAME]
    assert found.photos == (1, 2)
    assert found.confidence <= UNCERTAIN


def unlike(left: int, right: int) -> Match:
    return Match(left, right, SIMILAR, unlike=True)


def test_copies_altered_in_two_ways_share_the_photo_they_come_from():
    matches = [same(0, 1), same(0, 2), unlike(1, 2)]
    [found] = group(matches, rank={0: 0, 1: 1, 2: 2})
    assert found.photos == (0, 1, 2)


def test_a_doubtful_match_does_not_bring_unlike_photos_together():
    matches = [same(0, 1), replace(same(0, 2), confidence=0.6), unlike(1, 2)]
    found = group(matches, rank={0: 0, 1: 1, 2: 2})
    assert [g.photos for g in found if g.kind == SAME] == [(0, 1)]


def test_a_copy_goes_to_the_better_of_two_photos_that_only_look_unlike():
    matches = [unlike(0, 1), same(0, 2, 0.97), same(1, 2, 0.999)]
    found = group(matches, rank={0: 0, 1: 1, 2: 2})
    assert [g.photos for g in found if g.kind == SAME] == [(1, 2)]


def test_two_crops_that_share_nothing_share_their_keeper():
    matches = [same(0, 1), same(0, 2), Match(1, 2, Kind.DISTINCT)]
    assert [set(g.photos) for g in group(matches, rank=rank())] == [{0, 1, 2}]


def test_promise_08_no_better_photo_brings_two_known_shots_together():
    matches = [same(0, 1), same(0, 2), apart(1, 2)]
    found = group(matches, rank={0: 0, 1: 1, 2: 2})
    assert [len(one.photos) for one in found if one.kind == SAME] == [2]
