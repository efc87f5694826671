"""An XMP packet that says of a picture what is known of it, for programs of any maker.

XMP is XML (ISO 16684-1). Dates are as exact as they are known: "2009-07" is a date there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from xml.sax.saxutils import escape

from gallery.dates import Precision

# What XML cannot hold, escaped or not.
_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EXACT = {Precision.SECOND: 19, Precision.MINUTE: 16}
# A season is no month, and a year says less than that, but nothing wrong.
_PARTIAL = {
    Precision.DAY: 10,
    Precision.MONTH: 7,
    Precision.SEASON: 4,
    Precision.YEAR: 4,
}

_PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:imagevault="urn:imagevault:1.0/">
{properties}  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a picture; `seen` are the places it was found at.

    The time is local, the offset in minutes east of UTC where it is known.
    """

    name: str
    digest: str
    taken_at: datetime | None = None
    taken_offset: int | None = None
    precision: str = Precision.UNKNOWN
    taken_from: str = ""
    latitude: float | None = None
    longitude: float | None = None
    description: str = ""
    rating: int = 0
    keywords: Iterable[str] = ()
    seen: Iterable[str] = ()


def packet(known: Known) -> bytes:
    """The file to lay beside a picture; the same for the same picture at any time."""
    lines = [
        *_dates(known),
        *_position(known.latitude, known.longitude),
        _text("xmp:Rating", str(known.rating) if known.rating else ""),
        _list(
            "dc:description", "Alt", [known.description] if known.description else []
        ),
        _list("dc:subject", "Bag", known.keywords),
        _text("xmpMM:PreservedFileName", known.name),
        _text("imagevault:sha256", known.digest),
        _list("imagevault:seen", "Bag", known.seen),
    ]
    return _PACKET.format(properties="".join(lines)).encode()


def _dates(known: Known) -> list[str]:
    """The date as far as it is known, under each name that programs look for."""
    text = date_text(known.taken_at, known.precision, known.taken_offset)
    said = [
        _text("imagevault:precision", known.precision if known.taken_at else ""),
        _text("imagevault:takenFrom", known.taken_from if known.taken_at else ""),
    ]
    names = ["photoshop:DateCreated"]
    # Of a year alone many programs would make its first of January.
    if known.precision in (*_EXACT, Precision.DAY):
        names += ["exif:DateTimeOriginal", "xmp:CreateDate"]
    return [*(_text(name, text) for name in names), *said]


def date_text(taken_at: datetime | None, precision: str, offset: int | None) -> str:
    """A date as XMP writes it, and no more of it than is known; "" for none."""
    if taken_at is None or precision == Precision.UNKNOWN:
        return ""
    length = _EXACT.get(Precision(precision))
    if length is None:
        return taken_at.isoformat()[: _PARTIAL.get(Precision(precision), 0)]
    text = taken_at.isoformat(timespec="seconds")[:length]
    if offset is None:
        return text
    zone = timezone(timedelta(minutes=offset))
    return text + taken_at.replace(tzinfo=zone).isoformat()[-6:]


def _position(latitude: float | None, longitude: float | None) -> list[str]:
    if latitude is None or longitude is None:
        return []
    return [
        _text("exif:GPSLatitude", _minutes(latitude, "NS")),
        _text("exif:GPSLongitude", _minutes(longitude, "EW")),
    ]


def _minutes(degrees: float, letters: str) -> str:
    whole, minutes = divmod(round(abs(degrees) * 60, 6), 60)
    return f"{whole:.0f},{minutes:.6f}{letters[degrees < 0]}"


def _text(name: str, value: str) -> str:
    return f"   <{name}>{_safe(value)}</{name}>\n" if value else ""


def _list(name: str, kind: str, values: Iterable[str]) -> str:
    language = ' xml:lang="x-default"' if kind == "Alt" else ""
    items = [f"     <rdf:li{language}>{_safe(one)}</rdf:li>\n" for one in values]
    if not items:
        return ""
    inside = "".join(items)
    return f"   <{name}>\n    <rdf:{kind}>\n{inside}    </rdf:{kind}>\n   </{name}>\n"


def _safe(text: str) -> str:
    return escape(_IMPOSSIBLE.sub("\N{REPLACEMENT CHARACTER}", text))
