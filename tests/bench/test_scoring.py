"""Sets are scored against the truth about the drive."""

from bench.labelled import File
from bench.peers import as_sets, united
from bench.scoring import score

ORIGINAL = File("a/1.jpg", "boat")
COPY = File("a/2.jpg", "boat", "png", right=frozenset({"same_pixels"}))
BYTES = File("a/3.jpg", "boat", "byte copy", as_good=True)
SCREENSHOT = File("a/4.png", "boat", "phone screenshot", frame=False)
SHOT, NEXT_SHOT = (
    File(f"b/{n}.jpg", f"lake {n}", "other", series="lake") for n in "12"
)
FILES = [ORIGINAL, COPY, BYTES, SCREENSHOT, SHOT, NEXT_SHOT]


def member(*files, relation="keeper"):
    return {
        "suggestion": "keep" if relation == "keeper" else "discard",
        "relation": relation,
        "reason": "largest",
        "sightings": [{"path": file.path} for file in files],
    }


def duplicates(*members, confidence=1.0):
    return {
        "kind": "duplicates",
        "confidence": confidence,
        "members": list(members),
    }


def test_what_is_in_one_set_with_its_original_is_found():
    found = duplicates(member(ORIGINAL, BYTES), member(COPY, relation="same_pixels"))
    result = score(FILES, [found])
    assert result["kinds"] == {"png": 1, "byte copy": 1, "phone screenshot": 0}
    assert result["recall"] == 0.6667
    assert result["below_bar"] == ["phone screenshot"]
    assert result["false_pairs"] == 0
    assert result["relation_right"] == result["keeper_right"] == 1


def test_byte_copies_have_to_end_as_one_photo():
    apart = duplicates(member(ORIGINAL), member(BYTES, relation="same_pixels"))
    assert score(FILES, [apart])["kinds"]["byte copy"] == 0


def test_two_shots_in_one_set_are_a_false_pair():
    result = score(FILES, [duplicates(member(SHOT), member(NEXT_SHOT, relation="x"))])
    assert result["false_pairs"] == result["similar_shots_in_duplicates"] == 1


def test_similar_shots_are_no_duplicates():
    similar = {"kind": "similar_shots", "members": [member(SHOT), member(NEXT_SHOT)]}
    assert score(FILES, [similar])["false_pairs"] == 0


def test_keeping_a_copy_is_wrong():
    found = duplicates(member(COPY), member(ORIGINAL, relation="resaved"))
    assert score(FILES, [found])["keeper_right"] == 0


def test_an_original_out_of_its_copies_set_is_not_kept():
    found = duplicates(member(COPY), member(SCREENSHOT, relation="framed"))
    assert score(FILES, [found])["keeper_right"] == 0


def test_a_wrong_relation_is_counted():
    found = duplicates(member(ORIGINAL), member(COPY, relation="cropped"))
    assert score(FILES, [found])["relation_right"] == 0


def test_union_find_joins_by_way_of_a_third(tmp_path):
    names = [str(tmp_path / name) for name in "abcd"]
    hashes = dict(zip(names, (0b0, 0b11, 0b1111, 2**60 - 1), strict=True))
    assert united(hashes, 2) == [names[:3]]
    (joined,) = as_sets(united(hashes, 2), tmp_path)
    assert [m["sightings"][0]["path"] for m in joined["members"]] == ["a", "b", "c"]
