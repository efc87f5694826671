"""A small map around a position: which part of the world it shows.

The world is drawn with a degree as long everywhere (static/gallery/world.svg): x from 0 to
360, west to east, y from 0 to 180, north to south.
"""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEIGHT = 72.0, 48.0  # degrees shown
GRID = 15  # degrees between two lines


@dataclass(frozen=True, slots=True)
class Chart:
    """A window of the world, and the place in it, in the world's own units."""

    left: float
    top: float
    x: float
    y: float

    @property
    def view_box(self) -> str:
        return f"{self.left:g} {self.top:g} {WIDTH:g} {HEIGHT:g}"

    @property
    def meridians(self) -> list[int]:
        return _lines(self.left, WIDTH)

    @property
    def parallels(self) -> list[int]:
        return _lines(self.top, HEIGHT)

    # Templates write figures as the reader does; a drawing has its own way.
    @property
    def cx(self) -> str:
        return f"{self.x:.2f}"

    @property
    def cy(self) -> str:
        return f"{self.y:.2f}"


def chart(latitude: float, longitude: float) -> Chart:
    """Return the window around a position in degrees, none of it beyond the world."""
    x, y = longitude + 180, 90 - latitude
    left = min(max(x - WIDTH / 2, 0), 360 - WIDTH)
    top = min(max(y - HEIGHT / 2, 0), 180 - HEIGHT)
    return Chart(round(left, 2), round(top, 2), x, y)


def _lines(start: float, length: float) -> list[int]:
    first = -int(-start // GRID) * GRID
    return list(range(first, int(start + length) + 1, GRID))
