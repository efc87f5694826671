"""The bench's drive, and the truth about it."""

import random
from collections import Counter

from bench.copies.drawing import scene
from bench.labelled import REPORT, TUNE, Plan, build, half, known_halves


def folder_of_photos(folder, count):
    for number in range(count):
        scene((400, 300), random.Random(number)).save(folder / f"{number}.jpg")
    return folder


def test_a_picture_stays_in_its_half():
    known = known_halves()
    assert set(known.values()) == {TUNE, REPORT}
    some = next(iter(known))
    assert half(some, known) == known[some]
    assert {half(f"{n}.jpg", known) for n in range(20)} == {TUNE, REPORT}
    assert half("0.jpg", known) == half("0.jpg", {})


def test_a_drive_holds_originals_copies_and_other_pictures(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "drive").mkdir()
    photos = folder_of_photos(tmp_path / "photos", 3)
    plan = Plan(originals=1, share=40, half=None)
    files = build(photos, tmp_path / "drive", plan)
    counts = Counter(file.kind for file in files)
    assert counts["original"] == 1
    assert counts["other"] == 2
    assert len(files) > 5
    assert len({file.path for file in files}) == len(files)
    assert all((tmp_path / "drive" / file.path).is_file() for file in files)
    copies = [file for file in files if file.kind not in {"original", "other"}]
    assert {file.picture for file in copies} == {
        file.picture for file in files if file.kind == "original"
    }


def test_equal_bytes_are_one_picture(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "drive").mkdir()
    photos = folder_of_photos(tmp_path / "photos", 2)
    (photos / "again.jpg").write_bytes((photos / "0.jpg").read_bytes())
    files = build(photos, tmp_path / "drive", Plan(1, 60, half=None))
    assert len({file.picture for file in files}) == 2
