import json
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from dedup import perceptual
from dedup.alignment import Alignment, Tone, compare, features
from dedup.batches import SURE
from dedup.relation import (
    Facts,
    Judgement,
    Kind,
    Name,
    Side,
    judge,
    wants_descent,
    wants_detail,
    wants_pixel_digest,
)
from gallery.descent import Descent
from tests.pictures import scene

NOON = datetime(2014, 7, 5, 12, 0, 0)

PERFECT = Alignment(
    method="frame",
    left_size=(512, 384),
    right_size=(512, 384),
    left_overlap=1.0,
    right_overlap=1.0,
    blocks=300,
    agreement=1.0,
    correlation=0.999,
    whole=0.999,
    spread=50,
)


def facts(digest: str = "a", **more) -> Facts:
    known = {"file_size": 4_000_000, "width": 4000, "height": 3000, "format": "JPEG"}
    return Facts(digest, **{**known, **more})


def shot(digest: str = "a", *, taken: datetime = NOON, **more) -> Facts:
    """A photo as the camera wrote it."""
    camera = {"camera_model": "E-P1", "taken_from": "exif_original", "taken_at": taken}
    return facts(digest, has_maker_note=True, **camera, **more)


def judged(left: Image.Image, right: Image.Image, *, turn: int | None = 0) -> Judgement:
    sides = [features(np.asarray(one.convert("RGB"))) for one in (left, right)]
    known = [
        facts(name, width=one.width, height=one.height)
        for name, one in zip("ab", (left, right), strict=True)
    ]
    return judge(*known, compare(*sides, turn=turn), 0)


def test_promise_08_two_capture_times_are_two_shots_however_alike():
    answer = judge(shot("a"), shot("b", taken=NOON + timedelta(seconds=1)), PERFECT, 0)
    assert answer.kind == Kind.SIMILAR_SHOTS
    assert answer.separates


def test_promise_08_a_blink_on_a_tripod_is_never_a_sure_duplicate():
    first = scene(seed=3, size=(512, 384))
    second = first.copy()
    ImageDraw.Draw(second).ellipse((200, 150, 216, 158), fill="black")
    blinked = judged(first, second)
    assert blinked.confidence < SURE
    assert "one part differs" in blinked.because
    assert judged(first, first.resize((300, 225))).confidence >= SURE
    # Framed on purpose, there is no second shot.
    assert judged(first, ImageOps.expand(first, 40, "white")).confidence >= SURE


def test_promise_08_parts_of_a_second_tell_frames_of_a_burst_apart():
    later = NOON.replace(microsecond=120_000)
    first = shot("a", taken=NOON.replace(microsecond=40_000))
    assert judge(first, shot("b", taken=later), PERFECT, 0).kind == Kind.SIMILAR_SHOTS
    # A copy whose program dropped the parts of a second is still a copy.
    assert judge(first, shot("b"), PERFECT, 0).kind == Kind.DUPLICATES


def test_promise_08_an_exposure_bracket_is_several_shots():
    dark, bright = (
        shot(d, exposure=(s, 8.0, 100)) for d, s in (("a", 0.01), ("b", 0.02))
    )
    assert judge(dark, bright, PERFECT, 0).kind == Kind.SIMILAR_SHOTS


def test_promise_08_something_moved_makes_two_shots():
    left, right = scene(seed=3, size=(512, 384)), scene(seed=3, size=(512, 384))
    child = scene(seed=9, size=(120, 120))
    left.paste(child, (200, 150))
    right.paste(child, (207, 152))
    assert judged(left, right).kind == Kind.SIMILAR_SHOTS


def test_promise_08_a_thing_that_walked_on_makes_two_shots():
    for sign in ({"strays": 6}, {"elsewhere": 4}):
        answer = judge(facts("a"), facts("b"), replace(PERFECT, **sign), 0)
        assert (answer.kind, answer.separates) == (Kind.SIMILAR_SHOTS, True)


def test_a_part_that_differs_leaves_a_doubt():
    # A sticker, or a child that blinked: without a time nobody can know.
    patched = replace(PERFECT, largest=5, differing=0.02)
    answer = judge(facts("a"), facts("b"), patched, 0)
    assert answer.kind == Kind.DUPLICATES
    assert answer.confidence < 0.7 < judge(facts("a"), facts("b"), PERFECT).confidence
    assert judge(shot("a"), shot("b"), patched, 0).confidence > 0.7


def test_promise_08_without_times_a_shot_that_agrees_a_little_less_is_no_copy():
    again = replace(PERFECT, bend=0.3, tone=Tone(residual=6))
    answer = judge(facts("a"), facts("b"), again, 20)
    assert answer.kind == Kind.SIMILAR_SHOTS
    # It may be a copy altered much: only time and movement keep photos apart for good.
    assert not answer.separates
    assert answer.confidence <= 0.5
    # The camera's own second on both files speaks for a copy saved with loss.
    assert judge(shot("a"), shot("b"), again, 20).kind == Kind.DUPLICATES


def test_promise_08_another_focus_or_point_of_view_is_another_shot():
    left_over = replace(PERFECT, tone=Tone(residual=6))
    for sign in ({"uneven": 0.8}, {"bend": 0.3}, {"tilt": 2.5, "uneven": 0.4}):
        answer = judge(facts("a"), facts("b"), replace(left_over, **sign), 0)
        assert answer.kind == Kind.SIMILAR_SHOTS, sign
    # The noise of strong compression is neither.
    assert judge(facts("a"), facts("b"), left_over, 0).kind == Kind.DUPLICATES


IN_ONE_FRAME = replace(PERFECT, apart=0.3, tone=Tone(residual=10), spread=50)


def test_what_was_worked_on_in_its_own_frame_is_a_copy():
    blurred_sides = replace(IN_ONE_FRAME, uneven=1.8, agreement=0.7, differing=0.03)
    answer = judge(facts("a"), facts("b"), blurred_sides)
    assert answer.kind == Kind.DUPLICATES
    assert answer.confidence < 0.7
    refocused = replace(blurred_sides, apart=4.0)
    assert judge(facts("a"), facts("b"), refocused).kind == Kind.SIMILAR_SHOTS
    drifting = replace(blurred_sides, bend=0.3)
    assert judge(facts("a"), facts("b"), drifting).kind == Kind.SIMILAR_SHOTS


def test_much_of_another_content_is_no_copy_unless_it_is_drawn():
    covered = replace(IN_ONE_FRAME, agreement=0.7, differing=0.3, remaining=1.0)
    answer = judge(facts("a"), facts("b"), replace(covered, drawn=0.3))
    assert answer.kind == Kind.SIMILAR_SHOTS
    answer = judge(facts("a"), facts("b"), replace(covered, drawn=0.8))
    assert answer.kind == Kind.DUPLICATES
    assert Name.EDITED in answer.names


def test_a_flat_picture_seen_aslant_is_a_copy():
    aslant = replace(IN_ONE_FRAME, apart=25, tilt=8, uneven=0.4, inliers=360)
    assert judge(facts("a"), facts("b"), aslant).kind == Kind.DUPLICATES
    fewer = replace(aslant, inliers=100)
    assert judge(facts("a"), facts("b"), fewer).kind == Kind.SIMILAR_SHOTS


def test_large_letters_on_a_picture_are_a_copy_that_was_edited():
    captioned = scene(seed=3, size=(512, 384))
    for top in (0, 250):
        for left in range(10, 500, 100):
            box = left, top + 20, left + 40, top + 90
            ImageDraw.Draw(captioned).rectangle(box, "white", outline="black", width=6)
    answer = judged(scene(seed=3, size=(512, 384)), captioned)
    assert answer.kind == Kind.DUPLICATES
    assert Name.EDITED in answer.names


def test_keypoints_count_where_few_blocks_have_texture():
    moon = replace(PERFECT, method="features", blocks=7, inliers=60)
    assert judge(facts("a"), facts("b"), moon).kind == Kind.DUPLICATES
    dark = replace(moon, inliers=20)
    assert judge(facts("a"), facts("b"), dark).kind == Kind.DISTINCT


def test_equal_pixels_are_duplicates_whatever_the_clock_says():
    left = replace(shot("a"), pixel_digest="p")
    right = replace(shot("b", taken=NOON + timedelta(hours=1)), pixel_digest="p")
    answer = judge(left, right, PERFECT, 0)
    assert (answer.kind, answer.primary) == (Kind.DUPLICATES, Name.SAME_PIXELS)


def test_too_little_texture_proves_nothing():
    night = replace(PERFECT, blocks=3, whole=0.9, spread=3)
    answer = judge(facts("a"), facts("b"), night, 0)
    assert answer.kind == Kind.DISTINCT
    assert not answer.separates


def test_a_smaller_copy_says_by_how_much():
    picture = scene(seed=3, size=(1000, 750))
    answer = judged(picture, picture.resize((400, 300)))
    assert answer.primary == Name.RESIZED
    assert abs(answer.relation(Name.RESIZED).numbers["factor"] - 0.4) < 0.01


def test_the_answer_reads_the_same_from_the_other_side():
    picture = scene(seed=3, size=(1000, 750))
    answer = judged(
        picture, picture.crop((0, 0, 800, 700)).resize((400, 350)), turn=None
    )
    back = answer.swapped()
    assert answer.altered(Side.RIGHT) == {Name.CROPPED} == back.altered(Side.LEFT)
    factor = back.relation(Name.RESIZED).numbers["factor"]
    assert abs(factor - 2.0) < 0.05


def test_each_kind_of_copy_has_its_name():
    picture = scene(seed=3, size=(640, 480))
    stamped = picture.copy()
    ImageDraw.Draw(stamped).rectangle((430, 420, 620, 465), fill="black")
    copies = [
        (Name.MIRRORED, ImageOps.mirror(picture), 1),
        (Name.TURNED, picture.rotate(-90, expand=True), 5),
        (Name.CROPPED, picture.crop((64, 20, 640, 470)), None),
        (Name.FRAMED, ImageOps.expand(picture, 50, "white"), None),
        (Name.RECOLOURED, ImageOps.grayscale(picture), 0),
        (Name.EDITED, stamped, 0),
        (Name.RESAVED, picture.copy(), 0),
    ]
    for name, copy, turn in copies:
        assert judged(picture, copy, turn=turn).primary == name


def test_measured_detail_tells_which_side_was_enlarged():
    picture = scene(seed=3, size=(1000, 750))
    sides = facts("a", width=1000, height=750), facts("b", width=400, height=300)
    laid = compare(
        features(np.asarray(picture)),
        features(np.asarray(picture.resize((400, 300)))),
        turn=0,
    )
    answer = judge(*sides, laid, 0)
    assert wants_detail(*sides, answer) == (Side.LEFT, 400)
    assert judge(*sides, laid, 0, detail=0.5).altered(Side.LEFT) == {Name.RESIZED}
    known = judge(*sides, laid, 0, detail=1.1)
    assert not known.altered(Side.LEFT)
    assert wants_detail(*sides, known) is None


def test_an_answer_survives_being_stored():
    picture = scene(seed=3, size=(640, 480))
    answer = judged(picture, picture.crop((64, 20, 640, 470)), turn=None)
    stored = json.loads(json.dumps(answer.to_json()))
    again = Judgement.from_json(stored)
    assert again.names == answer.names
    assert again.to_json() == stored


def test_full_pixels_are_wanted_only_where_thumbnails_hardly_differ():
    answer = judge(facts("a"), facts("b"), PERFECT, 0)
    assert wants_pixel_digest(facts("a"), facts("b"), answer, PERFECT)
    assert not wants_pixel_digest(facts("a"), facts("b", width=800), answer, PERFECT)
    darker = replace(PERFECT, tone=Tone(difference=12))
    assert not wants_pixel_digest(facts("a"), facts("b"), answer, darker)


def test_promise_08_one_flat_thing_from_two_places_is_two_shots():
    aslant = replace(PERFECT, apart=80.0, tilt=6.0, motion=0.7, shared=0.15)
    answer = judge(facts("a"), facts("b"), aslant, 20)
    assert answer.kind == Kind.SIMILAR_SHOTS
    # A print photographed aslant lies in place, and more of its keypoints are found.
    print_of_it = replace(aslant, motion=0.2, shared=0.35)
    assert judge(facts("a"), facts("b"), print_of_it, 20).kind == Kind.DUPLICATES


def test_noise_of_a_pale_picture_is_no_second_shot():
    pale = replace(
        PERFECT, apart=50.0, spread=10.0, tone=Tone(residual=1.5), tilt=3.0, bend=0.2
    )
    assert judge(facts("a"), facts("b"), pale, 20).kind == Kind.DUPLICATES


def test_a_framed_copy_that_was_drawn_on_is_a_copy():
    drawn_on = replace(
        PERFECT, agreement=0.7, remaining=0.99, drawn=0.9, differing=0.2, apart=90.0,
        shared=0.4, largest=8,
    )  # fmt: skip
    assert judge(facts("a"), facts("b"), drawn_on, 20).kind == Kind.DUPLICATES
    bent = replace(drawn_on, bend=0.3)
    assert judge(facts("a"), facts("b"), bent, 20).kind != Kind.DUPLICATES


def test_which_was_made_from_which_is_asked_where_nothing_else_tells():
    one, two = facts("a", jpeg_quality=95), facts("b", jpeg_quality=85)
    answer = judge(one, two, PERFECT, 0)
    assert wants_descent(one, two, answer, PERFECT) == 0
    made = judge(one, two, PERFECT, 0, descent=Descent(2.5, "rounding"))
    assert made.relation(Name.RESAVED).of == Side.RIGHT
    assert made.relation(Name.RESAVED).numbers["odds"] == 2.5
    other = judge(one, two, PERFECT, 0, descent=Descent(-2.5, "rounding"))
    assert other.relation(Name.RESAVED).of == Side.LEFT
    assert judge(one, two, PERFECT, 0, descent=Descent(0.4, "rounding")) == answer
    # Where only one has its camera's data, that tells; no JPEG has no steps.
    assert wants_descent(one, shot("b", jpeg_quality=85), answer, PERFECT) is None
    pngs = facts("a", format="PNG"), facts("b", format="PNG")
    assert wants_descent(*pngs, answer, PERFECT) is None
    stretched = facts("b", width=one.width - 40)
    assert wants_descent(one, stretched, answer, PERFECT) is None


def test_a_turned_pair_is_asked_in_the_frame_of_either():
    upright = facts("a", width=640, height=480)
    turned = facts("b", width=480, height=640)
    picture = scene(seed=3, size=(640, 480))
    for turn in range(1, 8):
        other = Image.fromarray(perceptual.turned(np.asarray(picture), turn).copy())
        laid = compare(
            features(np.asarray(picture)), features(np.asarray(other)), turn=turn
        )
        right = turned if turn >= 4 else facts("b", width=640, height=480)
        answer = judge(upright, right, laid, 0)
        assert wants_descent(upright, right, answer, laid) == turn
        made = judge(upright, right, laid, 0, descent=Descent(3.0, "rounding"))
        assert {one.of for one in made.relations} == {Side.RIGHT}


def test_an_enlarged_copy_is_named_by_its_pixels():
    small, large = facts("a", width=2000, height=1500), facts("b")
    size = replace(PERFECT, left_size=(512, 384), right_size=(512, 384))
    answer = judge(small, large, size, 0, detail=1.2)
    assert answer.relation(Name.RESIZED).of == Side.UNKNOWN
    assert wants_descent(small, large, answer, size) == 0
    said = judge(small, large, size, 0, detail=1.2, descent=Descent(3.0, "enlarged"))
    assert said.relation(Name.RESIZED).of == Side.RIGHT
    said = judge(small, large, size, 0, detail=0.7, descent=Descent(-3.0, "reduced"))
    assert said.relation(Name.RESIZED).of == Side.UNKNOWN
    assert said.relation(Name.RESAVED).of == Side.LEFT


def test_a_grey_foot_is_damage():
    picture = scene(seed=3, size=(512, 384))
    broken = picture.copy()
    broken.paste((128, 128, 128), (0, 260, 512, 384))
    answer = judged(picture, broken, turn=0)
    assert answer.primary == Name.DAMAGED
    assert answer.relation(Name.DAMAGED).of == Side.RIGHT
    assert Name.DAMAGED not in judged(broken, broken, turn=0).names


def test_a_frame_is_known_where_something_was_cut_off_as_well():
    picture = scene(seed=3, size=(512, 384))
    cut = picture.crop((60, 0, 512, 384))
    framed = Image.new("RGB", (500, 432), "white")
    framed.paste(cut, (24, 24))
    answer = judged(picture, framed, turn=None)
    assert answer.primary == Name.FRAMED
    assert answer.relation(Name.FRAMED).of == Side.RIGHT


def test_what_agrees_in_a_window_only_has_to_lie_in_place():
    tile = replace(PERFECT, window=0.4, apart=200.0, shared=0.2, largest=30)
    answer = judge(facts("a"), facts("b"), tile, 20)
    assert answer.kind == Kind.DUPLICATES
    assert answer.confidence < 0.7
    drifting = replace(tile, bend=0.3)
    assert judge(facts("a"), facts("b"), drifting, 20).kind != Kind.DUPLICATES
