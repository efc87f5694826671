import pytest

from dedup.naming import Naming, is_made_from, of, of_all


@pytest.mark.parametrize(
    ("naming", "paths"),
    [
        (
            Naming.CAMERA,
            [
                "DCIM/100MEDIA/IMG_1000.JPG",
                "2004/CRW_0012.CRW",
                "x/P1010014.jpg",
                "20190203_112233.jpg",
                "IMG_20190203_112233_1.jpg",
                "PXL_20210101_101010123.MP.jpg",
                "DCIM/Camera/beach.jpg",
            ],
        ),
        (
            Naming.COPY,
            [
                "Photos/IMG_1000 (12).jpg",
                "IMG_1000_small.jpg",
                "IMG_E1234.JPG",
                "IMG_1234 - Kopie.jpg",
                "recovered/f0000123.jpg",
                "Edited/holiday.png",
                "WhatsApp Images/IMG-20140612-WA0012.jpg",
                "Screenshot_20150304-000001.png",
                "scan00001.jpg",
            ],
        ),
        (
            Naming.ANYBODY,
            [
                "Wedding/Anna and Grandpa.jpg",
                "Webster family/a.jpg",
                "IMG_original.jpg",
                "image (3).jpg",
                "",
            ],
        ),
    ],
)
def test_a_path_says_who_named_the_file(naming, paths):
    assert [(path, of(path).naming) for path in paths] == [
        (path, naming) for path in paths
    ]


def test_of_two_names_one_may_be_made_from_the_other():
    camera, copy = of("DCIM/IMG_0012.JPG"), of("Mail/IMG_0012_small.jpg")
    assert is_made_from(copy, camera) and not is_made_from(camera, copy)
    beach, sepia = of("beach.jpg"), of("beach, sepia tones.jpg")
    assert is_made_from(sepia, beach) and not is_made_from(beach, sepia)
    assert not is_made_from(of("img_10.jpg"), of("img_1.jpg"))
    assert not is_made_from(beach, beach) and not is_made_from(of(""), beach)


def test_a_file_that_was_copied_is_named_by_its_best_path():
    assert of_all(["Backup/a (1).jpg", "DCIM/IMG_0012.JPG"]).naming == Naming.CAMERA
    assert of_all([]).naming == Naming.ANYBODY
