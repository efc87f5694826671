"""Thumbnails look like their originals, whatever the originals are made of."""

import io
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  (teaches Pillow the format)
import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat

from gallery import decoding, renditions
from gallery.decoding import Unreadable
from gallery.renditions import Rendition
from tests import pictures

SCENE = pictures.scene(seed=5, size=(800, 600))


@pytest.fixture
def stored(tmp_path: Path):
    def stored(data: bytes) -> Path:
        path = tmp_path / f"photo{len(list(tmp_path.iterdir()))}"
        path.write_bytes(data)
        return path

    return stored


def decoded(rendition: Rendition) -> Image.Image:
    image = Image.open(io.BytesIO(rendition.data))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert image.size == (rendition.width, rendition.height)
    return image


def difference(left: Image.Image, right: Image.Image) -> float:
    """Mean difference of two pictures, in grey levels."""
    right = right.convert("RGB").resize(left.size)
    return sum(ImageStat.Stat(ImageChops.difference(left, right)).mean) / 3


@pytest.mark.parametrize(
    "format", ["JPEG", "PNG", "TIFF", "BMP", "WEBP", "AVIF", "GIF"]
)
def test_every_format_becomes_the_same_thumbnail(stored, format):
    found = renditions.thumbnail(stored(pictures.encoded(SCENE, format=format)))
    assert (found.width, found.height, found.problem) == (512, 384, "")
    assert difference(decoded(found), SCENE) < 6


def test_heic_and_jpeg_xl_too(stored):
    pillow_heif.register_heif_opener()
    for format in ("HEIF", "JXL"):
        found = renditions.thumbnail(stored(pictures.encoded(SCENE, format=format)))
        assert difference(decoded(found), SCENE) < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_every_turn_is_undone(stored, format, orientation):
    back = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    lying = SCENE if back is None else SCENE.transpose(back)
    block = pictures.exif(orientation=orientation)
    path = stored(pictures.encoded(lying, format=format, exif=block))
    found = renditions.develop(path)
    assert (found.metadata.width, found.metadata.height) == SCENE.size
    assert (found.thumbnail.width, found.thumbnail.height) == (512, 384)
    assert difference(decoded(found.thumbnail), SCENE) < 6


def test_the_orientation_examples_all_look_alike(shared_photos):
    folder = shared_photos / "recurser+exif-orientation-examples"
    for name in ("Landscape", "Portrait"):
        upright = decoded(renditions.thumbnail(folder / f"{name}_1.jpg"))
        for turn in range(2, 9):
            other = decoded(renditions.thumbnail(folder / f"{name}_{turn}.jpg"))
            assert other.size == upright.size
            # The number of each is printed in its middle.
            assert difference(other, upright) < 12, (name, turn)


def test_small_pictures_stay_small(stored):
    small = pictures.scene(size=(100, 80))
    found = renditions.thumbnail(stored(pictures.png(small)))
    assert (found.width, found.height) == (100, 80)


def test_a_thread_of_a_picture_keeps_a_pixel(stored):
    found = renditions.thumbnail(stored(pictures.png(Image.new("RGB", (4000, 2)))))
    assert (found.width, found.height) == (512, 1)


def test_a_preview_is_larger(stored):
    path = stored(pictures.jpeg(pictures.scene(size=(3000, 2000))))
    found = renditions.preview(path)
    assert (found.width, found.height) == (2048, 1365)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "LA", "RGBA", "I;16", "YCbCr"])
def test_every_kind_of_pixel_is_shown(stored, mode):
    if mode == "I;16":
        # 0x0101 for each grey level: as light in 16 bits as in 8
        image = Image.fromarray(np.asarray(SCENE.convert("L"), np.uint16) * 257)
    else:
        image = SCENE.convert(mode)
    format = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    found = renditions.thumbnail(stored(pictures.encoded(image, format=format)))
    grey = mode in ("1", "L", "LA", "I;16")
    expected = pictures.greyed(SCENE) if grey else SCENE
    assert difference(decoded(found), expected) < {"1": 25, "P": 12}.get(mode, 5)


def test_transparent_parts_become_white(stored):
    image = SCENE.convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 400, 600))
    thumbnail = decoded(renditions.thumbnail(stored(pictures.png(image))))
    assert min(thumbnail.crop((0, 0, 240, 384)).getextrema()) > (245, 245)
    palette = Image.new("P", (40, 40), 1)
    palette.putpalette((0, 0, 0, 90, 20, 20))
    path = stored(pictures.png(palette, transparency=1))
    assert decoded(renditions.thumbnail(path)).getpixel((20, 20)) == (255, 255, 255)


def test_of_an_animation_the_first_frame(stored):
    scenes = [pictures.scene(seed=seed) for seed in (1, 2, 3)]
    for format in ("GIF", "WEBP", "PNG"):
        data = pictures.encoded(
            scenes[0], format=format, save_all=True, append_images=scenes[1:]
        )
        assert difference(decoded(renditions.thumbnail(stored(data))), scenes[0]) < 8


def wide_gamut() -> bytes:
    """A profile whose numbers mean other colours than those of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def test_colour_profiles_are_converted_to_srgb(shared_photos, stored):
    """The same numbers look different in another profile; a grey stays a grey."""
    pillow_heif.register_heif_opener()
    with Image.open(
        shared_photos / "thorsted+digicam_corpus/Apple/iPhone XR/IMG_3616.HEIC"
    ) as phone:
        display_p3 = phone.info["icc_profile"]
    red = Image.new("RGB", (64, 64), (200, 60, 60))
    plain = decoded(renditions.thumbnail(stored(pictures.jpeg(red)))).getpixel((32, 32))
    wide = decoded(renditions.thumbnail(stored(pictures.jpeg(red, icc=display_p3))))
    assert wide.getpixel((32, 32))[0] > plain[0] + 5
    grey = Image.new("RGB", (64, 64), (120, 120, 120))
    path = stored(pictures.jpeg(grey, icc=display_p3))
    assert decoded(renditions.thumbnail(path)).getpixel((32, 32)) == (120, 120, 120)
    assert not Image.open(io.BytesIO(renditions.thumbnail(path).data)).info.get(
        "icc_profile"
    )


@pytest.mark.parametrize("icc", [b"broken", wide_gamut()])
def test_profiles_that_do_not_fit_are_ignored(stored, icc):
    found = renditions.thumbnail(stored(pictures.jpeg(SCENE, icc=icc)))
    assert difference(decoded(found), SCENE) < 4


def test_a_truncated_photo_is_shown_as_far_as_it_goes(stored):
    whole = pictures.jpeg(SCENE)
    found = renditions.thumbnail(stored(whole[: len(whole) * 2 // 3]))
    assert found.problem == "the end of the file is missing; shown as far as it goes"
    top = (0, 0, 512, 180)
    thumbnail = decoded(found)
    assert difference(thumbnail.crop(top), SCENE.resize((512, 384)).crop(top)) < 4


def test_a_strict_decoder_is_left_behind(stored):
    whole = pictures.jpeg(SCENE)
    path = stored(whole[: len(whole) // 2])
    renditions.thumbnail(path)
    with pytest.raises(Unreadable, match="the end of the file is missing"):
        renditions.pixel_digest(path)


def test_the_same_file_gives_the_same_bytes(stored):
    path = stored(pictures.jpeg(SCENE))
    assert renditions.thumbnail(path) == renditions.thumbnail(path)


def test_promise_14_too_many_pixels_are_refused_unseen(stored):
    path = stored(pictures.bomb(width=30_000, height=30_000))
    with pytest.raises(renditions.Undeveloped, match="too many pixels: 30000 x 30000"):
        renditions.develop(path)


def test_a_photo_of_200_megapixels_is_shown(stored):
    data = pictures.jpeg(Image.new("L", (16_320, 12_240), 90), quality=50)
    assert renditions.thumbnail(stored(data)).width == 512


def test_raw_files_are_shown_by_their_preview(shared_photos):
    found = renditions.develop(shared_photos / "mindeng+nom-exif/testdata/canon-r6.cr3")
    assert found.metadata.format == "CR3"
    assert found.thumbnail.width > 100


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "WEBP"])
def test_equal_pixels_have_equal_digests_in_every_format(stored, format):
    lossless = {"lossless": True} if format == "WEBP" else {}
    other = stored(pictures.encoded(SCENE, format=format, **lossless))
    assert renditions.pixel_digest(other) == renditions.pixel_digest(
        stored(pictures.png(SCENE, compress_level=1))
    )


def test_a_turned_photo_has_the_pixels_of_its_upright_copy(stored):
    upright = renditions.pixel_digest(stored(pictures.png(SCENE)))
    lying = SCENE.transpose(Image.Transpose.ROTATE_90)
    block = pictures.exif(orientation=6)
    assert renditions.pixel_digest(stored(pictures.png(lying, exif=block))) == upright


def test_metadata_and_opaqueness_do_not_count_as_pixels(stored):
    plain = renditions.pixel_digest(stored(pictures.png(SCENE)))
    block = pictures.exif(make="Nikon")
    assert renditions.pixel_digest(stored(pictures.png(SCENE, exif=block))) == plain
    opaque = SCENE.convert("RGBA")
    assert renditions.pixel_digest(stored(pictures.png(opaque))) == plain


def test_one_other_pixel_is_another_digest(stored):
    other = SCENE.copy()
    red, green, blue = other.getpixel((500, 500))
    other.putpixel((500, 500), (red ^ 1, green, blue))
    one, two = stored(pictures.png(SCENE)), stored(pictures.png(other))
    assert renditions.pixel_digest(one) != renditions.pixel_digest(two)


def test_grey_is_the_same_picture_in_one_channel_and_in_three(stored):
    grey = SCENE.convert("L")
    one, three = stored(pictures.png(grey)), stored(pictures.png(grey.convert("RGB")))
    assert renditions.pixel_digest(one) == renditions.pixel_digest(three)


def test_sixteen_bits_are_not_their_upper_eight(stored):
    deep = np.asarray(SCENE, np.uint16) * 256 + 7
    _, data = cv2.imencode(".png", deep[:, :, ::-1])
    one, two = stored(data.tobytes()), stored(pictures.png(SCENE))
    assert difference(decoded(renditions.thumbnail(one)), SCENE) < 5
    assert renditions.pixel_digest(one) != renditions.pixel_digest(two)


def test_a_decoders_words_can_be_stored_whatever_they_quote():
    said = decoding.reason(ValueError("bad \0 chunk \udc80"))
    assert said == "the file is damaged (bad chunk)"


def test_the_shape_of_pixels_cannot_make_a_picture_larger_than_any(monkeypatch):
    sizes = SimpleNamespace(
        raw_width=100, raw_height=100, width=100, height=100, pixel_aspect=1e9, flip=0
    )
    raw = nullcontext(SimpleNamespace(sizes=sizes, extract_thumb=lambda: None))
    monkeypatch.setattr("rawpy.imread", lambda _: raw)
    with pytest.raises(decoding.Unreadable, match="too many pixels"):
        decoding._developed(io.BytesIO(), 512, decoding.MAX_PIXELS)
