"""A copy for a message or a page: the preview, with the day it was taken written in.

It is upright and in sRGB already. It says nothing of the camera, and nothing of the place.
"""

from __future__ import annotations

from datetime import datetime

from PIL import Image

from gallery.dates import Precision

# EXIF
_ORIENTATION, _SOFTWARE, _SUB_IFD = 0x0112, 0x0131, 0x8769
_ORIGINAL, _DIGITISED, _OFFSET = 0x9003, 0x9004, 0x9011
_UPRIGHT = 1
_SOI, _APP1 = b"\xff\xd8", b"\xff\xe1"
# How much of a date is known, as XMP writes it; EXIF has no word for less than a day.
_KNOWN = {
    Precision.SECOND: "%Y-%m-%dT%H:%M:%S",
    Precision.MINUTE: "%Y-%m-%dT%H:%M",
    Precision.DAY: "%Y-%m-%d",
    Precision.MONTH: "%Y-%m",
    Precision.YEAR: "%Y",
}
_TO_THE_DAY = (Precision.SECOND, Precision.MINUTE, Precision.DAY)
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
    'photoshop:DateCreated="{date}"/></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)


def dated(
    jpeg: bytes,
    taken_at: datetime | None,
    precision: str,
    *,
    offset_minutes: int | None = None,
) -> bytes:
    """Return a JPEG with its date, as exactly as it is known; pixels stay as they are.

    `taken_at` is local wall time.
    """
    assert jpeg.startswith(_SOI)
    parts = [_exif(taken_at, precision, offset_minutes)]
    if taken_at is not None and precision in _KNOWN:
        said = _date(taken_at, _KNOWN[Precision(precision)])
        parts.append(
            _segment(b"http://ns.adobe.com/xap/1.0/\0", _XMP.format(date=said).encode())
        )
    return _SOI + b"".join(parts) + _without_exif(jpeg)


def _exif(taken_at: datetime | None, precision: str, offset: int | None) -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = _UPRIGHT
    exif[_SOFTWARE] = "imagevault"
    if taken_at is not None and precision in _TO_THE_DAY:
        text = _date(taken_at, "%Y:%m:%d %H:%M:%S")
        exif.get_ifd(_SUB_IFD)[_ORIGINAL] = text
        exif.get_ifd(_SUB_IFD)[_DIGITISED] = text
        if offset is not None:
            sign = "-" if offset < 0 else "+"
            hours, minutes = divmod(abs(offset), 60)
            exif.get_ifd(_SUB_IFD)[_OFFSET] = f"{sign}{hours:02}:{minutes:02}"
    content = exif.tobytes()
    return _segment(b"", content)


def _date(taken_at: datetime, form: str) -> str:
    # strftime forgets the noughts of early years on some systems.
    return taken_at.strftime(form.replace("%Y", f"{taken_at.year:04}"))


def _segment(head: bytes, content: bytes) -> bytes:
    return _APP1 + (len(head) + len(content) + 2).to_bytes(2) + head + content


def _without_exif(jpeg: bytes) -> bytes:
    """Return what follows the start of the file, without any note that is there."""
    place = len(_SOI)
    kept = []
    while jpeg[place : place + 1] == b"\xff" and 0xE0 <= jpeg[place + 1] <= 0xEF:
        size = int.from_bytes(jpeg[place + 2 : place + 4]) + 2
        if jpeg[place : place + 2] != _APP1:
            kept.append(jpeg[place : place + size])
        place += size
    return b"".join(kept) + jpeg[place:]
