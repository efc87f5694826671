"""The few dates of an XMP packet, read without trusting it.

XMP is XML inside a picture (ISO 16684-1). Entities are never expanded and a packet that
declares a document type is refused, so that a small packet cannot grow into a large one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

MAX_PACKET = 1 << 20
MAX_VALUE = 2_000

_NAMESPACES = {
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://purl.org/dc/elements/1.1/": "dc",
}


_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


class _Refused(Exception):
    pass


@dataclass(slots=True)
class _Reader:
    """Collects known properties, whether written as attributes or as elements."""

    found: dict[str, str] = field(default_factory=dict)
    open_names: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.open_names.append(_short(name) or self.inherited(name))
        for attribute, value in attributes.items():
            if short := _short(attribute):
                self.found.setdefault(short, value.strip()[:MAX_VALUE])

    def inherited(self, name: str) -> str:
        """Of a list, the first member is its property's value: one language of a title."""
        if not name.startswith(_RDF) or not self.open_names:
            return ""
        outer = self.open_names[-1]
        is_later = name == f"{_RDF} li" and self.found.get(outer, "").strip()
        return "" if is_later else outer

    def text(self, part: str) -> None:
        name = self.open_names[-1]
        if name:
            self.found[name] = (self.found.get(name, "") + part)[:MAX_VALUE]

    def end(self, name: str) -> None:
        self.open_names.pop()

    def doctype(self, *_: object) -> None:
        raise _Refused


def properties(packet: bytes) -> dict[str, str]:
    """Simple properties such as "exif:DateTimeOriginal" and their text.

    A broken packet yields what stands before the break, a suspicious one nothing.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(packet[:MAX_PACKET].strip(b"\0 \r\n\t"), True)  # noqa: FBT003
    except _Refused:
        return {}
    except (expat.ExpatError, ValueError, LookupError):
        pass
    return {name: value.strip() for name, value in reader.found.items()}


def _short(name: str) -> str:
    """The usual short form of a full name we know, else empty."""
    space, _, local = name.rpartition(" ")
    prefix = _NAMESPACES.get(space)
    return f"{prefix}:{local}" if prefix else ""
