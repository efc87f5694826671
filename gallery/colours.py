"""A dozen colours that stand in a photo's place until it is there.

They are the pixels of a picture of 4 by 3, which browsers draw smoothly when enlarged,
written in base64 as a BMP has them. The head of such a file is the same for every photo
and ends between two signs of base64, so that the address of the whole is two texts put
together.
"""

from __future__ import annotations

import base64
import struct

from PIL import Image

SIZE = WIDTH, HEIGHT = 4, 3
_BYTES = 3 * WIDTH * HEIGHT
SIGNS = 4 * _BYTES // 3

# A file's head of 14 bytes and a picture's of 40; 24 bits a pixel, nothing packed.
_HEAD = struct.pack(
    "<2sIIIIiiHHIIIIII",
    *(b"BM", 54 + _BYTES, 0, 54),
    *(40, WIDTH, HEIGHT, 1, 24, 0, _BYTES, 2835, 2835, 0, 0),
)
_PREFIX = f"data:image/bmp;base64,{base64.b64encode(_HEAD).decode()}"


def of(image: Image.Image) -> str:
    """Return the colours of an RGB picture, as text of SIGNS signs."""
    small = image.resize(SIZE, Image.Resampling.BOX)
    # A BMP begins with the lowest row, and its pixels with blue.
    turned = small.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return base64.b64encode(turned.tobytes("raw", "BGR")).decode()


def address(colours: str) -> str:
    """Return a picture of these colours as a data address, empty for none."""
    return _PREFIX + colours if len(colours) == SIGNS else ""
