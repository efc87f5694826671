"""The file that copies are made from."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

ORIENTATION = 0x0112


@cache
def formats_ready() -> None:
    """Teach Pillow HEIC and JPEG XL, here and in the processes that write copies."""
    import pillow_heif
    import pillow_jxl

    pillow_heif.register_heif_opener()
    assert pillow_jxl


@dataclass(frozen=True)
class Original:
    """The bytes of a picture file, and what is in them."""

    data: bytes
    format: str  # as Pillow says it

    @classmethod
    def read(cls, path: Path, *, edge: int) -> Original:
        """Read a picture file; one longer than `edge` pixels is reduced to that.

        Its metadata stay, the orientation with them.
        """
        formats_ready()
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            if max(image.size) > edge:
                data = _reduced(image, edge)
                return cls(data, "JPEG")
            return cls(data, str(image.format))

    @cached_property
    def picture(self) -> Image.Image:
        """What it shows: RGB and upright."""
        with Image.open(io.BytesIO(self.data)) as image:
            return ImageOps.exif_transpose(image).convert("RGB")

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """EXIF of an upright copy, as an option of Pillow's `save`; {} if there is none."""
        with Image.open(io.BytesIO(self.data)) as image:
            exif = image.getexif()
        if not exif:
            return {}
        exif[ORIENTATION] = 1
        return {"exif": exif.tobytes()}

    @cached_property
    def profile(self) -> dict[str, Any]:
        with Image.open(io.BytesIO(self.data)) as image:
            profile = image.info.get("icc_profile") if image.mode == "RGB" else None
        return {"icc_profile": profile} if profile else {}

    @property
    def is_turned(self) -> bool:
        with Image.open(io.BytesIO(self.data)) as image:
            return image.getexif().get(ORIENTATION, 1) not in (0, 1)


def _reduced(image: Image.Image, edge: int) -> bytes:
    exif, profile = image.getexif(), image.info.get("icc_profile")
    small = image.convert("RGB")
    small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    saved = io.BytesIO()
    options = {"icc_profile": profile} if profile else {}
    if exif:
        options["exif"] = exif.tobytes()
    small.save(saved, "JPEG", quality=92, **options)
    return saved.getvalue()
