"""Films for tests: small files of the QuickTime container, which show nothing."""

from __future__ import annotations

import struct


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def quicktime(
    *, seconds: float = 3.0, seed: int = 0, is_live_photo: bool = False
) -> bytes:
    """A film that runs so long, with its description at the end, as phones write it."""
    header = struct.pack(">IIIII", 0, 0, 0, 600, int(seconds * 600))
    described = box(b"mvhd", header)
    if is_live_photo:
        described += box(b"meta", b"com.apple.quicktime.content.identifier")
    return (
        box(b"ftyp", b"qt  \0\0\0\0qt  ")
        + box(b"mdat", bytes([seed]) * 5_000)
        + box(b"moov", described)
    )
