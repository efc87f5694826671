from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from dedup.ranking import rank
from dedup.relation import Facts, Judgement, Kind, Name, Relation, Side

ORIGINAL = Facts(
    "original",
    4_000_000,
    4000,
    3000,
    "JPEG",
    camera_model="E-P1",
    has_maker_note=True,
    taken_at=datetime(2014, 7, 5, 12),
    taken_from="exif_original",
    jpeg_quality=92,
)


def copy(digest: str, **changes) -> Facts:
    return replace(ORIGINAL, digest=digest, **changes)


def stripped(digest: str, **changes) -> Facts:
    return copy(digest, camera_model="", has_maker_note=False, taken_at=None, **changes)


def answer(*relations: Relation) -> Judgement:
    return Judgement(Kind.DUPLICATES, 1.0, "", relations=relations)


def keeper_and_reasons(*others: tuple[Facts, Judgement]) -> dict[str, str]:
    judgements = {("original", facts.digest): said for facts, said in others}
    ranked = rank([*(facts for facts, _ in others), ORIGINAL], judgements)
    assert [one.suggestion for one in ranked] == ["keep"] + ["discard"] * len(others)
    return {one.digest: one.reason for one in ranked}


def test_the_largest_with_camera_data_is_kept():
    small = stripped("small", width=1600, height=1200)
    reasons = keeper_and_reasons(
        (small, answer(Relation(Name.RESIZED, numbers={"factor": 0.4})))
    )
    assert reasons == {
        "original": "largest, camera EXIF",
        "small": "scaled to 40 %, camera data lost",
    }


def test_a_damaged_larger_file_is_not_kept():
    large = copy("large", width=8000, height=6000, problem="the end is missing")
    reasons = keeper_and_reasons((large, answer(Relation(Name.DAMAGED, Side.RIGHT))))
    assert next(iter(reasons)) == "original"
    assert reasons["original"].startswith("intact")
    assert "damaged" in reasons["large"]


def test_an_enlarged_copy_without_camera_data_is_not_kept():
    large = stripped("large", width=8000, height=6000, file_size=20_000_000)
    reasons = keeper_and_reasons(
        (large, answer(Relation(Name.RESIZED, numbers={"factor": 2.0})))
    )
    assert next(iter(reasons)) == "original"
    assert reasons["large"] == "enlarged to 200 %, camera data lost"


def test_a_copy_measured_to_be_enlarged_is_not_kept():
    large = copy("large", width=8000, height=6000)
    said = answer(Relation(Name.RESIZED, Side.RIGHT, {"factor": 2.0, "detail": 0.5}))
    reasons = keeper_and_reasons((large, said))
    assert next(iter(reasons)) == "original"
    assert reasons["original"].startswith("not enlarged")


def test_a_stamped_frame_round_the_picture_is_not_kept():
    framed = copy("framed", width=4400, height=3400)
    reasons = keeper_and_reasons((framed, answer(Relation(Name.FRAMED, Side.RIGHT))))
    assert reasons["original"].startswith("without a frame")
    assert reasons["framed"] == "with a frame"


def test_a_bigger_file_saved_again_is_not_kept():
    bigger = stripped("bigger", file_size=9_000_000, jpeg_quality=100)
    reasons = keeper_and_reasons((bigger, answer(Relation(Name.RESAVED))))
    assert next(iter(reasons)) == "original"


def test_the_original_format_goes_before_a_conversion():
    png = stripped("png", format="PNG", jpeg_quality=None, file_size=30_000_000)
    reasons = keeper_and_reasons((png, answer(Relation(Name.SAME_PIXELS))))
    assert next(iter(reasons)) == "original"
    assert reasons["png"] == "same pixels, camera data lost"


def test_what_was_saved_from_another_yields_however_good_its_quality():
    bigger = copy("bigger", file_size=9_000_000, jpeg_quality=98)
    said = answer(Relation(Name.RESAVED, Side.RIGHT, {"lattice": 0.6}))
    reasons = keeper_and_reasons((bigger, said))
    assert next(iter(reasons)) == "original"
    assert reasons["bigger"] == "saved again from the keeper"


def test_whom_fewer_are_like_was_altered():
    brighter = copy("brighter", jpeg_quality=99)
    small = copy("small", width=800, height=600)
    other_colours = answer(Relation(Name.RECOLOURED, numbers={"saturation": 1.0}))
    judgements = {
        ("original", "brighter"): other_colours,
        ("original", "small"): answer(Relation(Name.RESIZED, numbers={"factor": 0.2})),
        ("brighter", "small"): other_colours,
    }
    assert rank([brighter, small, ORIGINAL], judgements)[0].digest == "original"


def test_of_two_colours_those_of_the_camera_are_kept():
    brighter = stripped("brighter", jpeg_quality=99)
    other_colours = answer(Relation(Name.RECOLOURED, numbers={"saturation": 1.0}))
    reasons = keeper_and_reasons((brighter, other_colours))
    assert next(iter(reasons)) == "original"


@given(st.permutations(range(5)))
def test_the_order_given_does_not_matter(order):
    members = [copy(str(number), sightings=number % 2 + 1) for number in range(5)]
    shuffled = rank([members[number] for number in order], {})
    assert shuffled == rank(members, {})
