from dataclasses import replace
from datetime import datetime
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from dedup import naming
from dedup.ranking import is_told, rank
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
    said = answer(Relation(Name.RESAVED, Side.RIGHT, {"odds": 2.5}))
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


def between_copies(**answers: Judgement) -> dict[tuple[str, str], Judgement]:
    """Answers by pair, named "one_two"."""
    return {tuple(names.split("_")): said for names, said in answers.items()}


def first(*photos: Facts, **answers: Judgement) -> str:
    return rank(photos, between_copies(**answers))[0].digest


def test_what_others_lost_at_their_edges_does_not_speak_for_a_frame():
    framed = stripped("framed", width=4400, height=3400)
    crops = [stripped(name, width=3000, height=2500) for name in ("a", "b", "c")]
    cut = Relation(Name.CROPPED, Side.RIGHT, {"share": 0.6, "box": (0, 0, 1, 1)})
    best = first(
        stripped("plain"),
        framed,
        *crops,
        plain_framed=answer(Relation(Name.FRAMED, Side.RIGHT)),
        **{f"framed_{one.digest}": answer(cut) for one in crops},
        **{f"plain_{one.digest}": answer(cut) for one in crops},
    )
    assert best == "plain"


def test_the_one_turned_otherwise_than_the_rest_is_not_kept():
    mirrored = stripped("flipped", jpeg_quality=99)
    flipped = answer(Relation(Name.MIRRORED))
    best = first(
        stripped("plain"),
        mirrored,
        stripped("small", width=800, height=600),
        plain_flipped=flipped,
        flipped_small=flipped,
        plain_small=answer(Relation(Name.RESIZED, numbers={"factor": 0.2})),
    )
    assert best == "plain"


def test_a_turned_copy_with_camera_data_yields_to_what_stands_as_the_rest():
    turned = answer(Relation(Name.TURNED, numbers={"degrees": 90.0}))
    plain = answer(Relation(Name.RESAVED))
    best = first(
        copy("plain", jpeg_quality=80),
        copy("turned", jpeg_quality=90),
        stripped("small", width=800, height=600),
        plain_turned=turned,
        turned_small=turned,
        plain_small=plain,
    )
    assert best == "plain"


def test_a_screenshot_that_shows_the_picture_smaller_is_not_kept():
    screenshot = stripped("shot", width=4800, height=4000, format="PNG")
    said = answer(
        Relation(Name.CROPPED, Side.LEFT, {"share": 0.3, "box": (0, 0, 1, 1)}),
        Relation(Name.RESIZED, numbers={"factor": 0.6}),
    )
    assert first(stripped("plain"), screenshot, plain_shot=said) == "plain"


def test_the_photo_all_copies_are_most_like_is_the_one_they_come_from():
    def like(strength: float) -> Judgement:
        return replace(answer(Relation(Name.RESAVED)), strength=strength)

    best = first(
        stripped("source", jpeg_quality=80),
        stripped("noisy", jpeg_quality=95),
        stripped("other", jpeg_quality=70),
        source_noisy=like(0.995),
        source_other=like(0.999),
        noisy_other=like(0.994),
    )
    assert best == "source"


def test_a_photo_a_single_answer_speaks_against_may_still_be_the_source():
    names = ["original", "best", "small", "dark"]
    photos = [ORIGINAL, *(copy(name, jpeg_quality=98) for name in names[1:])]

    def later(side: Side, odds: float = 3.0) -> Judgement:
        return answer(Relation(Name.RESAVED, side, {"odds": odds}))

    judgements = {
        ("original", "best"): later(Side.RIGHT),
        ("original", "small"): later(Side.RIGHT),
        # Wrongly.
        ("original", "dark"): later(Side.LEFT, 1.5),
        ("best", "small"): later(Side.RIGHT),
        ("best", "dark"): later(Side.RIGHT),
        ("small", "dark"): later(Side.RIGHT),
    }
    assert rank(photos, judgements)[0].digest == "original"


def test_many_others_say_more_than_camera_data():
    # The altered copy kept its data, as a file out of a messenger did not.
    altered = copy("altered", jpeg_quality=95)
    original = replace(ORIGINAL, jpeg_quality=80)
    others = [stripped(name, jpeg_quality=60) for name in ("one", "two", "three")]
    other_colours = answer(Relation(Name.RECOLOURED, numbers={"saturation": 1.0}))
    judgements = {("altered", one.digest): other_colours for one in [original, *others]}
    judgements |= {
        (one.digest, two.digest): answer(Relation(Name.RESAVED))
        for one, two in combinations([original, *others], 2)
    }
    assert rank([altered, original, *others], judgements)[0].digest == "original"


def test_a_program_that_renamed_a_file_counts_against_it():
    renamed = copy("renamed", software="Photo Organiser 3", file_size=5_000_000)
    ours = replace(ORIGINAL, software="Version 1.0")
    said = {("original", "renamed"): answer(Relation(Name.SAME_PIXELS))}
    assert rank([renamed, ours], said)[0].digest == "original"


def test_a_part_found_missing_makes_a_photo_damaged():
    broken = copy("broken", jpeg_quality=99, sightings=4)
    said = answer(Relation(Name.DAMAGED, Side.RIGHT, {"missing": 0.3}))
    reasons = keeper_and_reasons((broken, said))
    assert "damaged" in reasons["broken"]


def bare(digest: str, path: str) -> Facts:
    return stripped(digest, jpeg_quality=80, named=naming.of(path))


def test_names_decide_where_pixels_and_data_do_not():
    ours = bare("a", "DCIM/100CANON/IMG_0012.JPG")
    theirs = replace(bare("b", "Edited/IMG_0012-edited.jpg"), jpeg_quality=84)
    said = answer(Relation(Name.RECOLOURED, numbers={"saturation": 1.0}))
    for pair in ((ours, theirs), (theirs, ours)):
        judgements = {(pair[0].digest, pair[1].digest): said}
        assert rank(pair, judgements)[0].digest == "a"
        assert is_told(ours, [theirs], judgements)
    # Measured, it does not matter who bears which name.
    made = answer(Relation(Name.RESAVED, Side.LEFT, {"odds": 4.0}))
    assert rank([ours, theirs], {("a", "b"): made})[0].digest == "b"


def test_a_keeper_that_nothing_speaks_for_is_known_as_one():
    ours, theirs = bare("a", "Photos/beach.jpg"), bare("b", "Photos/sea.jpg")
    for said, told in (
        (Relation(Name.RESAVED), False),
        (Relation(Name.RESAVED, Side.RIGHT, {"odds": 1.2}), False),
        (Relation(Name.RESAVED, Side.RIGHT, {"odds": 3.0}), True),
        (Relation(Name.SAME_PIXELS), True),
        (Relation(Name.FRAMED, Side.RIGHT, {}), True),
    ):
        judgements = {("a", "b"): answer(said)}
        assert is_told(ours, [theirs], judgements) == told
