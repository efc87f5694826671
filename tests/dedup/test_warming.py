import numpy as np

from dedup import hamming, local_join, nearest, perceptual
from dedup.alignment import features
from dedup.laying import by_keypoints
from dedup.local_features import local_features
from dedup.local_neighbours import all_kindred
from dedup.neighbours import neighbours
from dedup.warming import warm
from tests.pictures import scene


def compiled() -> dict[str, int]:
    """Return for each compiled loop in how many versions it is there."""
    return {
        f"{module.__name__}.{name}": len(one.signatures)
        for module in (hamming, local_join, nearest)
        for name, one in vars(module).items()
        if hasattr(one, "signatures")
    }


def test_nothing_is_left_to_compile_for_a_search():
    warm()
    before = compiled()
    assert before["dedup.hamming.join"]
    scenes = [scene(seed=seed, size=(400, 300)) for seed in (1, 2, 2)]
    bits = b"".join(perceptual.fingerprint(one).bits for one in scenes)
    hashes = perceptual.words(bits)
    for way in ("sieve", "all with all"):
        assert len(neighbours(hashes, hashes, way=way))
    spots = [local_features(one) for one in scenes]
    assert sum(map(len, all_kindred(spots, threads=2))) == 1
    ours, theirs = (features(np.asarray(one)) for one in scenes[1:])
    assert by_keypoints(ours, theirs, mirrored=False)[0] > 12
    assert compiled() == before
