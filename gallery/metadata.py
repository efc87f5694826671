"""What a picture file says about itself: size, camera, exposure, position, dates.

Nothing is believed here (gallery/dates.py weighs the dates) and nothing raises: broken
metadata yields what is readable. All values can be written as JSON and into PostgreSQL.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, fields

from PIL import Image

from gallery import decoding, formats, tiff, xmp
from gallery.dates import Evidence, Origin, from_exif, from_iso

EXIF_DIRECTORY, GPS_DIRECTORY = 0x8769, 0x8825
MAX_TEXT = 100

Tags = dict[int, tiff.Value]


@dataclass(frozen=True, slots=True)
class Metadata:
    """Facts of one picture file; what it does not say is empty or None.

    Sizes are pixels as seen upright, `orientation` is EXIF's 1 to 8 as it stands in the
    file, exposure time is seconds, focal length millimetres, position degrees (north
    and east positive); `jpeg_quality` is an estimate, 1 to 100.
    """

    format: str
    width: int
    height: int
    orientation: int = 1
    make: str = ""
    model: str = ""
    body_serial: str = ""
    lens: str = ""
    software: str = ""
    exposure_seconds: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length: float | None = None
    flash: bool | None = None
    latitude: float | None = None
    longitude: float | None = None
    dates: tuple[Evidence, ...] = ()
    has_icc_profile: bool = False
    has_maker_note: bool = False
    frames: int = 1
    jpeg_quality: int | None = None

    def to_json(self) -> dict[str, object]:
        """The facts as JSON knows them."""
        flat = {one.name: getattr(self, one.name) for one in fields(self)}
        return flat | {"dates": [one.to_json() for one in self.dates]}

    @classmethod
    def from_json(cls, facts: dict[str, object]) -> Metadata:
        """The metadata `to_json` wrote."""
        dates = facts["dates"]
        assert isinstance(dates, list)
        known: dict[str, object] = {
            **facts,
            "dates": tuple(Evidence.from_json(one) for one in dates),
        }
        return cls(**known)  # type: ignore[arg-type]


def read(path: str | os.PathLike[str]) -> Metadata:
    """The metadata of a picture file, decoding nothing that can be left undecoded.

    Raises Unreadable if it is no picture, or not even its header can be read.
    """
    with decoding.opened(path) as picture:
        return of(picture)


def of(picture: decoding.Picture) -> Metadata:
    """The metadata of an opened picture.

    Where it stands at the end of the file (PNG), it is found once the image is decoded.
    """
    main, shot, place = _directories(picture)
    info = picture.image.info
    latitude, longitude = _position(place)
    return Metadata(
        format=picture.format.name,
        width=picture.width,
        height=picture.height,
        orientation=_orientation(main),
        make=_text(main, 0x010F),
        model=_text(main, 0x0110),
        body_serial=_text(shot, 0xA431),
        lens=_text(shot, 0xA434),
        software=_text(main, 0x0131),
        exposure_seconds=_positive(shot, 0x829A),
        f_number=_positive(shot, 0x829D),
        iso=_whole(shot, 0x8827),
        focal_length=_positive(shot, 0x920A),
        flash=_flash(shot),
        latitude=latitude,
        longitude=longitude,
        dates=tuple(_dates(main, shot, info)),
        has_icc_profile=bool(info.get("icc_profile")),
        has_maker_note=0x927C in shot,
        frames=_frames(picture.image),
        jpeg_quality=_jpeg_quality(picture),
    )


def _directories(picture: decoding.Picture) -> tuple[Tags, Tags, Tags]:
    """Tags of the file, of the exposure and of the position."""
    if picture.format is formats.CR3:
        blocks = picture.canon_blocks
        main, shot, place = (
            _first(blocks.get(name, b"")) for name in ("CMT1", "CMT2", "CMT4")
        )
        return main, shot, place
    found = tiff.parse(picture.exif)
    if found is None:
        return {}, {}, {}
    main = found.directory()
    shot, place = (
        found.directory(int(offset)) if offset else {}
        for offset in (
            tiff.number(main.get(EXIF_DIRECTORY)),
            tiff.number(main.get(GPS_DIRECTORY)),
        )
    )
    return main, shot, place


def _first(block: bytes) -> Tags:
    found = tiff.parse(block)
    return found.directory() if found else {}


def _text(tags: Tags, tag: int) -> str:
    return tiff.text(tags.get(tag))[:MAX_TEXT].strip()


def _positive(tags: Tags, tag: int) -> float | None:
    value = tiff.number(tags.get(tag))
    return round(float(value), 9) if value is not None and value > 0 else None


def _whole(tags: Tags, tag: int) -> int | None:
    value = tiff.number(tags.get(tag))
    return int(value) if value is not None and value > 0 else None


def _orientation(main: Tags) -> int:
    turn = tiff.number(main.get(decoding.ORIENTATION))
    return int(turn) if turn is not None and 1 <= turn <= 8 else 1


def _flash(shot: Tags) -> bool | None:
    value = tiff.number(shot.get(0x9209))
    return None if value is None else bool(int(value) & 1)


def _position(place: Tags) -> tuple[float | None, float | None]:
    latitude = _degrees(place.get(2), tiff.text(place.get(1)), "NS", limit=90)
    longitude = _degrees(place.get(4), tiff.text(place.get(3)), "EW", limit=180)
    if latitude is None or longitude is None:
        return None, None
    # Where a receiver without a fix thinks it is.
    if latitude == longitude == 0:
        return None, None
    return latitude, longitude


def _degrees(
    value: tiff.Value | None, reference: str, signs: str, *, limit: int
) -> float | None:
    """Degrees, minutes and seconds as one figure; the second sign is the negative one."""
    if not isinstance(value, tuple) or not value or reference[:1].upper() not in signs:
        return None
    if not reference:
        return None
    parts = [part for part in value[:3] if not math.isnan(part)]
    degrees = sum(part / 60**power for power, part in enumerate(parts))
    if not parts or not 0 <= degrees <= limit:
        return None
    return round(-degrees if reference[0].upper() == signs[1] else degrees, 7)


# tag of the date, of its fraction of a second, of its offset from UTC
_MOMENTS = (
    (Origin.EXIF_ORIGINAL, 0x9003, 0x9291, 0x9011),
    (Origin.EXIF_DIGITISED, 0x9004, 0x9292, 0x9012),
    (Origin.EXIF_MODIFIED, 0x0132, 0x9290, 0x9010),
)
# A scanner's program dates a scan in xmp:CreateDate, so what dates the photo comes first.
_NOTES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")


def _dates(
    main: Tags, shot: Tags, info: dict[str | tuple[int, int], object]
) -> list[Evidence]:
    found = [
        from_exif(
            # Some programs put all their dates into the first directory.
            tiff.text(shot.get(tag) or main.get(tag)),
            origin=origin,
            subsecond=tiff.text(shot.get(fraction)),
            offset=tiff.text(shot.get(offset)),
        )
        for origin, tag, fraction, offset in _MOMENTS
    ]
    found.append(_noted(info))
    return [one for one in found if one]


def _noted(info: dict[str | tuple[int, int], object]) -> Evidence | None:
    """The date in an XMP packet or in the texts of a PNG."""
    packet = info.get("xmp")
    noted = xmp.properties(packet) if isinstance(packet, bytes) else {}
    for name in _NOTES:
        if found := from_iso(noted.get(name, "")):
            return found
    for name in ("exif:DateTimeOriginal", "Creation Time"):
        text = info.get(name)
        if isinstance(text, str) and len(text) < MAX_TEXT:
            found = from_iso(text) or from_exif(text, origin=Origin.XMP)
            if found:
                return found
    return None


def _frames(image: Image.Image) -> int:
    try:
        return max(1, int(getattr(image, "n_frames", 1)))
    except MemoryError:
        raise
    # Counting frames reads the whole file; whatever breaks, the first one is there.
    except Exception:
        return 1


# Table K.1 of ITU-T T.81; only its sum is needed, in whatever order it is read.
_LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)


def _table_sum(quality: int) -> int:
    """Sum of the luminance table that the IJG's library writes at this quality."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return sum(min(255, max(1, (one * scale + 50) // 100)) for one in _LUMINANCE)


_SUMS = [_table_sum(quality) for quality in range(1, 101)]


def _jpeg_quality(picture: decoding.Picture) -> int | None:
    """The quality at which the IJG's library would quantise as coarsely as this file."""
    tables = getattr(picture.image, "quantization", None)
    if picture.format is not formats.JPEG or not tables:
        return None
    total = sum(tables[min(tables)])
    return 1 + min(range(100), key=lambda index: abs(_SUMS[index] - total))
