import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from dedup.alignment import Features, compare, features
from dedup.laying import keypoints
from tests.pictures import scene

WIDTH, HEIGHT = 512, 384


def picture(*, seed: int = 3) -> Image.Image:
    return scene(seed=seed, size=(WIDTH, HEIGHT))


def seen(image: Image.Image) -> Features:
    return features(np.asarray(image.convert("RGB")))


@pytest.fixture(scope="module")
def original() -> Features:
    return seen(picture())


@pytest.mark.parametrize(
    ("copy", "turn"),
    [
        (lambda one: one.resize((160, 120)), 0),
        (ImageOps.mirror, 1),
        (lambda one: one.rotate(180), 2),
        (lambda one: one.transpose(Image.Transpose.TRANSPOSE), 4),
        (lambda one: one.transpose(Image.Transpose.ROTATE_270), 5),
        (lambda one: ImageEnhance.Brightness(one).enhance(0.6), 0),
        (ImageOps.grayscale, 0),
        (ImageOps.equalize, 0),
    ],
)
def test_a_copy_edge_on_edge_agrees_everywhere(original, copy, turn):
    found = compare(original, seen(copy(picture())), turn=turn)
    assert found.method == "frame"
    assert found.agreement > 0.95
    assert found.left_overlap > 0.98
    assert found.right_overlap > 0.98


def test_a_crop_is_found_with_its_box(original):
    crop = picture().crop((100, 50, 500, 350))
    found = compare(original, seen(crop))
    assert found.agreement > 0.95
    expected = (100 / WIDTH, 50 / HEIGHT, 500 / WIDTH, 350 / HEIGHT)
    assert found.left_box == pytest.approx(expected, abs=0.01)
    assert found.right_overlap > 0.97


def test_a_frame_is_found_to_be_plain(original):
    found = compare(original, seen(ImageOps.expand(picture(), 40, "white")))
    assert found.agreement > 0.95
    assert found.outside < 0.1
    assert found.seam > 2


def test_a_mirrored_crop_is_found_without_a_hint(original):
    crop = ImageOps.mirror(picture().crop((60, 40, 500, 370)))
    found = compare(original, seen(crop))
    assert found.mirrored
    assert found.agreement > 0.95


def test_only_the_hand_the_features_proposed_is_tried(original):
    crop = seen(ImageOps.mirror(picture().crop((60, 40, 500, 370))))
    assert compare(original, crop, mirrored=True).agreement > 0.95
    assert not compare(original, crop, mirrored=False).found


def test_a_straightened_copy_tells_its_angle(original):
    turned = picture().rotate(-3, Image.Resampling.BICUBIC).crop((30, 30, 480, 350))
    found = compare(original, seen(turned))
    assert found.degrees == pytest.approx(3, abs=0.3)
    assert found.agreement > 0.9


def test_unlike_pictures_do_not_agree(original):
    assert compare(original, seen(picture(seed=4)), turn=0).agreement < 0.2


def test_a_thing_that_moved_is_noticed(original):
    before, after = picture(), picture()
    ball = scene(seed=9, size=(90, 90))
    before.paste(ball, (200, 150))
    after.paste(ball, (206, 150))
    found = compare(seen(before), seen(after), turn=0)
    assert found.moved >= 2


def test_a_stamp_is_noticed_and_is_no_motion(original):
    stamped = picture()
    ImageDraw.Draw(stamped).rectangle((360, 330, 500, 375), fill="black")
    found = compare(original, seen(stamped), turn=0)
    assert found.largest >= 4
    assert found.moved == 0


def test_a_bent_picture_is_noticed_and_noise_is_no_bend(original):
    grid = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    waved = 1.5 * np.sin(grid[1] / WIDTH * 9).astype(np.float32)
    bent = cv2.remap(np.asarray(picture()), grid[1], grid[0] + waved, cv2.INTER_CUBIC)
    assert compare(original, features(bent), turn=0).bend > 0.3
    noise = np.random.default_rng(4).normal(0, 12, (HEIGHT, WIDTH, 3))
    noisy = (np.asarray(picture()) + noise).clip(0, 255).astype(np.uint8)
    assert compare(original, features(noisy), turn=0).bend < 0.1


def test_perspective_is_told_from_turning_and_scaling(original):
    leaning = (1, 0, 0, 0, 1, 0, 0.0001, 0.00005)
    tilted = picture().transform(
        picture().size, Image.Transform.PERSPECTIVE, leaning, Image.Resampling.BICUBIC
    )
    assert compare(original, seen(tilted)).tilt > 3
    turned = picture().rotate(-3, Image.Resampling.BICUBIC).crop((30, 30, 480, 350))
    assert compare(original, seen(turned)).tilt < 1


def test_another_focus_is_sharp_elsewhere(original):
    soft = picture().filter(ImageFilter.GaussianBlur(1.5))
    half = picture()
    half.paste(soft.crop((256, 0, WIDTH, HEIGHT)), (256, 0))
    refocused = compare(original, seen(half), turn=0).uneven
    assert refocused > 0.6
    assert compare(original, seen(soft), turn=0).uneven < 0.8 * refocused


def test_what_was_never_decoded_is_not_compared(original):
    cut = picture()
    cut.paste("grey", (0, 230, WIDTH, HEIGHT))
    found = compare(original, seen(cut), turn=0)
    assert found.agreement > 0.95
    assert found.differing < 0.05
    assert found.left_overlap > 0.98


def test_what_was_never_decoded_ends_within_a_row_of_squares():
    cut = picture()
    cut.paste("grey", (200, 230, WIDTH, 238))
    cut.paste("grey", (0, 238, WIDTH, HEIGHT))
    assert seen(cut).filled[240:].all()
    assert not seen(cut).filled[:230].any()


def test_frames_lie_apart_unless_one_is_the_other(original):
    smaller = picture().resize((400, 300))
    assert compare(original, seen(smaller), turn=0).apart < 1
    upside_down = compare(original, seen(picture().rotate(180)), turn=2)
    assert upside_down.apart < 1
    crop = picture().crop((8, 6, WIDTH, HEIGHT))
    assert compare(original, seen(crop), turn=0).apart > 10


def test_a_drawing_has_few_colours_and_a_scene_many(original):
    drawn, covered = picture(), picture()
    ImageDraw.Draw(drawn).rectangle((200, 100, 330, 230), "white")
    covered.paste(scene(seed=9, size=(130, 130)), (200, 100))
    on_paper = compare(original, seen(drawn), turn=0)
    assert on_paper.drawn > 0.9
    assert on_paper.remaining > 0.98
    assert compare(original, seen(covered), turn=0).drawn < 0.6


def test_a_symmetrical_picture_is_recognised_by_the_right_hand():
    left_half = scene(seed=5, size=(150, 384))
    butterfly = picture()
    butterfly.paste(left_half, (100, 0))
    butterfly.paste(ImageOps.mirror(left_half), (250, 0))
    found = compare(seen(butterfly), seen(ImageOps.mirror(butterfly)))
    assert found.agreement > 0.95
    assert found.left_overlap > 0.95


def test_measuring_twice_gives_the_same(original):
    other = seen(picture().crop((40, 30, 500, 360)))
    assert compare(original, other) == compare(original, other)


def test_blank_pictures_are_compared_without_complaint():
    blank = seen(Image.new("RGB", (512, 384), "grey"))
    tiny = seen(Image.new("RGB", (3, 1), "white"))
    for left, right in ((blank, blank), (blank, tiny), (tiny, tiny)):
        assert compare(left, right, turn=5).blocks == 0
        assert compare(left, right).agreement == 0


def test_a_thing_that_walked_on_is_found_where_it_went():
    before, after = picture(), picture()
    child = scene(seed=9, size=(80, 80))
    before.paste(child, (120, 140))
    after.paste(child, (220, 160))
    assert compare(seen(before), seen(after), turn=0).elsewhere >= 3
    assert compare(seen(before), seen(picture()), turn=0).elsewhere == 0


def test_points_that_drift_by_themselves_are_noticed():
    before, after = picture(), picture()
    child = scene(seed=9, size=(100, 100))
    before.paste(child, (200, 150))
    after.paste(child, (202, 151))
    assert compare(seen(before), seen(after), turn=0).strays >= 5
    assert compare(seen(before), seen(before), turn=0).strays == 0


def test_half_a_picture_is_laid_on_the_whole_without_a_hint():
    cut = picture()
    cut.paste("grey", (0, 110, WIDTH, HEIGHT))
    hazy = Features(
        seen(cut).picture, seen(cut).grey, *keypoints(np.zeros((9, 9), np.uint8))
    )
    found = compare(seen(picture()), hazy)
    assert found.apart < 2
    assert found.agreement > 0.95


def test_frames_that_nearly_coincide_are_laid_edge_on_edge(original):
    soft = picture().filter(ImageFilter.GaussianBlur(4))
    soft.paste(picture().crop((150, 100, 380, 280)), (150, 100))
    found = compare(original, seen(soft), turn=0)
    assert found.apart < 1
    small_crop = picture().crop((6, 4, WIDTH - 4, HEIGHT - 4))
    assert compare(original, seen(small_crop), turn=0).apart > 5


def test_a_small_picture_on_a_busy_page_is_found(original):
    page = Image.new("RGB", (800, 1200), "white")
    pen = ImageDraw.Draw(page)
    for y in range(20, 1180, 60):
        pen.text(
            (30, y),
            "and so we drove on to the sea where " * 4,
            fill="black",
            font_size=15,
        )
    page.paste(picture().resize((520, 390), Image.Resampling.BICUBIC), (140, 400))
    found = compare(original, seen(page))
    assert found.agreement > 0.9
    assert found.left_overlap > 0.95


def test_a_copy_keeps_its_keypoints_and_a_stranger_does_not(original):
    copy = picture().crop((60, 40, 500, 370)).resize((300, 225))
    assert compare(original, seen(copy)).shared > 0.3
    assert compare(original, seen(picture(seed=4)), turn=0).shared < 0.1


def test_a_pattern_partly_covered_is_no_motion():
    tile = scene(seed=8, size=(64, 64))
    wall = Image.new("RGB", (WIDTH, HEIGHT))
    for x in range(0, WIDTH, 64):
        for y in range(0, HEIGHT, 64):
            wall.paste(tile, (x, y))
    covered = wall.copy()
    ImageDraw.Draw(covered).rectangle((140, 130, 330, 200), fill=(90, 90, 90))
    found = compare(seen(wall), seen(covered), turn=0)
    assert found.largest >= 4
    assert found.elsewhere == 0
    assert found.moved == 0


def test_a_tile_of_a_collage_is_compared_within_its_edges(original):
    sheet = scene(seed=9, size=(WIDTH, HEIGHT))
    sheet.paste(picture().crop((0, 0, 300, HEIGHT)), (0, 0))
    found = compare(original, seen(sheet), turn=0)
    assert 0.4 < found.window < 0.7
    assert found.agreement > 0.95
    assert found.largest > 20
    assert compare(original, seen(picture()), turn=0).window == 1


def test_a_thing_in_the_middle_leaves_no_window(original):
    crowded = picture()
    crowded.paste(scene(seed=9, size=(200, 160)), (150, 110))
    found = compare(original, seen(crowded), turn=0)
    assert found.window == 1
    assert found.agreement < 0.95


def test_two_screenshots_share_their_bars_and_no_picture():
    screens = []
    for seed in (3, 4):
        screen = Image.new("RGB", (WIDTH, HEIGHT), "white")
        pen = ImageDraw.Draw(screen)
        for y in range(10, 200, 20):
            pen.text(
                (20, y), "Photos of summer and winter " * 3, fill="black", font_size=16
            )
        screen.paste(scene(seed=seed, size=(WIDTH, 170)), (0, 214))
        screens.append(seen(screen))
    assert compare(*screens, turn=0).window == 1
