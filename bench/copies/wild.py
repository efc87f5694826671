"""Kinds of copy that nobody promised: what else comes back from the world.

They keep the rules honest: nothing of the search was made with these in mind first.
"""

from __future__ import annotations

import io
import random

import cv2
import numpy as np
from PIL import (
    Image,
    ImageDraw,
    ImageEnhance,
    ImageFilter,
    ImageFont,
    ImageOps,
)

from bench.copies import frames, geometry, marks, saving, screens, tones
from bench.copies.drawing import (
    BICUBIC,
    WORDS,
    Maker,
    any_of,
    from_array,
    noise,
    scene,
    then,
    unchanged,
    written,
)
from bench.copies.kinds import Kind
from bench.copies.original import Original
from bench.copies.saving import Save, Saved, as_format, encoded, jpeg

SAVE = jpeg(60, 95)


# Frames and screens


def story(picture: Image.Image, chance: random.Random) -> Image.Image:
    """An upright screen, the picture before a blurred copy of itself, words on it."""
    size = chance.choice(((1080, 1920), (1080, 1350), (1080, 1080)))
    back = ImageOps.fit(picture, size, BICUBIC)
    back = back.filter(ImageFilter.GaussianBlur(chance.uniform(15, 40)))
    back = ImageEnhance.Brightness(back).enhance(chance.uniform(0.5, 1.0))
    share = chance.uniform(0.72, 1.0)
    shown = ImageOps.contain(picture, [round(side * share) for side in size], BICUBIC)
    top = round((size[1] - shown.height) * chance.uniform(0.3, 0.6))
    back.paste(shown, ((size[0] - shown.width) // 2, top), _rounded(shown, chance))
    if chance.random() < 0.6:
        place = (90, size[1] * chance.uniform(0.05, 0.9))
        written(back, chance.choice(WORDS), place, fill="white", font_size=80)
    return back


def _rounded(picture: Image.Image, chance: random.Random) -> Image.Image:
    mask = Image.new("L", picture.size, 0)
    radius = round(chance.uniform(0.02, 0.08) * max(picture.size))
    box = (0, 0, picture.width - 1, picture.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius, fill=255)
    return mask


def rounded_corners(picture: Image.Image, chance: random.Random) -> Image.Image:
    ground = Image.new("RGB", picture.size, chance.choice(("white", "black")))
    ground.paste(picture, (0, 0), _rounded(picture, chance))
    return ground


def chat(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A screenshot of a conversation with the picture in a bubble."""
    size = width, height = chance.choice(screens.PHONES)
    dark = chance.random() < 0.4
    screen = Image.new("RGB", size, (14, 22, 30) if dark else (236, 229, 221))
    pen = ImageDraw.Draw(screen)
    pen.rectangle((0, 0, width, 0.08 * height), fill=(7, 94, 84))
    written(
        screen,
        "Anna",
        (0.15 * width, 0.03 * height),
        fill="white",
        font_size=width / 22,
    )
    shown = ImageOps.contain(
        picture, (round(chance.uniform(0.6, 0.8) * width), height // 2), BICUBIC
    )
    left = chance.choice((30, width - shown.width - 30))
    top = round(chance.uniform(0.12, 0.35) * height)
    edge = round(width / 110)
    box = (
        left - edge,
        top - edge,
        left + shown.width + edge,
        top + shown.height + 5 * edge,
    )
    bubble = (31, 44, 52) if dark else (220, 248, 198)
    pen.rounded_rectangle(box, 20, fill=bubble)
    screen.paste(shown, (left, top), _rounded(shown, chance))
    y = box[3] + 40
    while y < height - 200:
        wide = chance.uniform(0.3, 0.7) * width
        x = chance.choice((30, width - wide - 30))
        pen.rounded_rectangle((x, y, x + wide, y + 80), 20, fill=bubble)
        ink = "white" if dark else "black"
        written(
            screen,
            chance.choice(WORDS),
            (x + 24, y + 18),
            fill=ink,
            font_size=width / 28,
        )
        y += 110
    return screen


def post(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A screenshot of a page of pictures: names above, hearts and words below."""
    width, height = chance.choice(screens.PHONES)
    screen = Image.new("RGB", (width, height), "white")
    aspect = chance.choice((1.0, 4 / 5, picture.width / picture.height))
    shown = ImageOps.fit(picture, (width, round(width / aspect)), BICUBIC)
    top = round(chance.uniform(0.1, 0.2) * height)
    screen.paste(shown, (0, top))
    pen = ImageDraw.Draw(screen)
    pen.ellipse((20, top - 110, 100, top - 30), fill=(200, 80, 120))
    written(screen, "anna.travels", (120, top - 95), fill="black", font_size=width / 26)
    for number in range(3):
        pen.ellipse((30 + 110 * number, top + shown.height + 20, 90 + 110 * number, top + shown.height + 80), outline="black", width=6)  # fmt: skip
    written(
        screen,
        chance.choice(WORDS),
        (30, top + shown.height + 110),
        fill="black",
        font_size=width / 28,
    )
    return screen


def video_player(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A picture shown full screen, buttons and a bar laid over it."""
    shown = ImageOps.pad(picture, (1920, 1080), BICUBIC, "black")
    pen = ImageDraw.Draw(shown, "RGBA")
    pen.rectangle((0, 960, 1920, 1080), fill=(0, 0, 0, 150))
    pen.rectangle((60, 990, 1860, 1000), fill=(255, 255, 255, 120))
    pen.rectangle((60, 990, chance.randint(200, 1500), 1000), fill=(220, 30, 30, 255))
    pen.polygon(((900, 480), (900, 620), (1020, 550)), fill=(255, 255, 255, 200))
    written(shown, chance.choice(WORDS), (60, 30), fill="white", font_size=44)
    return shown


def titled_border(picture: Image.Image, chance: random.Random) -> Image.Image:
    framed = frames.bordered("white", "black", (30, 40, 60))(picture, chance)
    ink = (128, 128, 128)
    size = max(10.0, 0.02 * max(framed.size))
    for _ in range(2):
        place = chance.uniform(0.1, 0.6) * framed.width, framed.height - 1.4 * size
        written(framed, chance.choice(WORDS), place, fill=ink, font_size=size)
    return framed


def page(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A page with the picture and text, scanned a little aslant."""
    size = width, height = 1240, 1754
    paper = Image.new("RGB", size, (250, 249, 244))
    shown = ImageOps.contain(
        picture, (round(chance.uniform(0.5, 0.85) * width), 900), BICUBIC
    )
    left = round((width - shown.width) * chance.uniform(0.3, 0.7))
    top = round(chance.uniform(0.08, 0.35) * height)
    paper.paste(shown, (left, top))
    for y in range(60, height - 60, 34):
        if not top - 40 < y < top + shown.height + 10:
            text = " ".join(chance.choices(WORDS, k=5))
            written(
                paper,
                text[: chance.randint(50, 80)],
                (100, y),
                fill=(40, 40, 40),
                font_size=22,
            )
    turned = paper.rotate(chance.uniform(-1.5, 1.5), BICUBIC, fillcolor=(250, 249, 244))
    return from_array(np.asarray(turned) + 2 * noise(turned, chance))


def print_on_table(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A print on a table, photographed by hand under a lamp."""
    printed = frames.bordered("white")(ImageOps.contain(picture, (1300, 1300)), chance)
    wide, high = (round(side * chance.uniform(1.15, 1.5)) for side in printed.size)
    table = scene((wide, high), chance)
    table.paste(printed, ((wide - printed.width) // 2, (high - printed.height) // 2))
    shift = [chance.uniform(0, 0.07) for _ in range(8)]
    corners = [
        (shift[0] * wide, shift[1] * high),
        ((1 - shift[2]) * wide, shift[3] * high),
        ((1 - shift[4]) * wide, (1 - shift[5]) * high),
        (shift[6] * wide, (1 - shift[7]) * high),
    ]
    seen = geometry.seen_from(table, corners).filter(ImageFilter.GaussianBlur(0.9))
    lamp = _ramp(seen.size, chance)[..., None] * 0.35 + 0.75
    return from_array(
        np.asarray(seen) * lamp * np.array([1.04, 1.0, 0.9]) + 3 * noise(seen, chance)
    )


def slide(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A scanned slide: rounded black mount, pale and reddish."""
    edge = chance.uniform(0.02, 0.06) * max(picture.size)
    aged = tones.faded(picture, chance)
    mount = frames.on_ground(rounded_corners(aged, chance), (edge,) * 4, "black")
    return from_array(np.asarray(mount) * np.array([1.05, 0.95, 0.88]))


def album(picture: Image.Image, chance: random.Random) -> Image.Image:
    """An album page: this print and two others, stuck down aslant."""
    sheet = Image.new(
        "RGB", (1600, 1200), chance.choice(((40, 36, 32), (235, 230, 215)))
    )
    spots = [(60, 60), (830, 90), (420, 640)]
    ours = chance.randrange(3)
    for number, place in enumerate(spots):
        one = picture if number == ours else scene((600, 450), chance)
        one = ImageOps.expand(ImageOps.contain(one, (680, 480), BICUBIC), 10, "white")
        turned = one.convert("RGBA").rotate(chance.uniform(-4, 4), BICUBIC, expand=True)
        sheet.paste(turned, place, turned)
    return sheet


GRID = tuple(
    (x / 3, y / 3, (x + 1) / 3, (y + 1) / 3) for y in range(3) for x in range(3)
)
STRIP = tuple((0.0, y / 3, 1.0, (y + 1) / 3) for y in range(3))


# Tones


def _ramp(size: tuple[int, int], chance: random.Random) -> np.ndarray:
    """Return a slope of 0 to 1 in some direction, [height, width]."""
    angle = chance.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    slope = np.cos(angle) * x + np.sin(angle) * y
    return (slope - slope.min()) / (slope.max() - slope.min())


def heat(picture: Image.Image, chance: random.Random) -> Image.Image:
    """The colours of a thermal camera, by brightness."""
    kind = chance.choice((cv2.COLORMAP_INFERNO, cv2.COLORMAP_HOT, cv2.COLORMAP_JET))
    values = cv2.applyColorMap(np.asarray(picture.convert("L")), kind)
    return Image.fromarray(np.ascontiguousarray(values[..., ::-1]))


def duotone(picture: Image.Image, chance: random.Random) -> Image.Image:
    dark = tuple(chance.randint(0, 90) for _ in range(3))
    light = tuple(chance.randint(170, 255) for _ in range(3))
    return ImageOps.colorize(ImageOps.grayscale(picture), dark, light)


def swapped_channels(picture: Image.Image, chance: random.Random) -> Image.Image:
    red, green, blue = picture.split()
    return Image.merge("RGB", chance.choice(((blue, green, red), (green, blue, red))))


def selective_colour(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Grey but for one colour."""
    hue = np.asarray(picture.convert("HSV"), np.int16)[..., 0]
    keep = np.abs((hue - chance.randint(0, 255) + 128) % 256 - 128) < 30
    grey = np.asarray(picture.convert("L").convert("RGB"))
    return Image.fromarray(np.where(keep[..., None], np.asarray(picture), grey))


def day_for_night(picture: Image.Image, chance: random.Random) -> Image.Image:
    values = (np.asarray(picture, np.float32) / 255) ** chance.uniform(1.2, 1.6)
    return from_array(
        255 * values * np.array([0.3, 0.4, 0.65]) * chance.uniform(0.8, 1.3)
    )


def hdr(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Shadows lifted, lights held, edges with a halo, colours strong."""
    values = np.asarray(picture, np.float32)
    radius = 0.02 * max(picture.size)
    wide = cv2.GaussianBlur(values.mean(axis=2), (0, 0), radius)[..., None]
    strength = chance.uniform(0.3, 0.7)
    changed = values + strength * (values - wide) + 0.5 * strength * (128 - wide)
    return ImageEnhance.Color(from_array(changed)).enhance(chance.uniform(1.1, 1.6))


def wide_vignette(picture: Image.Image, chance: random.Random) -> Image.Image:
    x, y = np.meshgrid(
        np.linspace(-1, 1, picture.width), np.linspace(-1, 1, picture.height)
    )
    fall = np.clip(
        1
        - chance.uniform(0.45, 0.8) * (x * x + y * y) ** chance.uniform(0.6, 1.2) / 1.6,
        0,
        1,
    )
    return from_array(np.asarray(picture) * fall[..., None])


def light_leak(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Light that fell into the camera from a side."""
    fall = _ramp(picture.size, chance) ** chance.uniform(2.5, 5)
    colour = np.array(chance.choice(((255, 120, 40), (255, 60, 60), (255, 200, 90))))
    values = np.asarray(picture, np.float32)
    screened = 255 - (255 - values) * (
        1 - fall[..., None] * colour / 255 * chance.uniform(0.5, 0.95)
    )
    return from_array(screened)


def negative(picture: Image.Image, chance: random.Random) -> Image.Image:
    values = 255 - np.asarray(picture, np.float32)
    if chance.random() < 0.4:
        values = values * np.array([1.0, 0.75, 0.55]) + np.array([0, 15, 20])
    return from_array(values)


def solarised(picture: Image.Image, chance: random.Random) -> Image.Image:
    return ImageOps.solarize(picture, chance.randint(150, 220))


def few_colours(picture: Image.Image, chance: random.Random) -> Image.Image:
    return picture.quantize(chance.choice((8, 16, 32))).convert("RGB")


def one_bit(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Black and white only: dithered, or cut at a level as copiers do."""
    grey = ImageOps.autocontrast(picture.convert("L"))
    if chance.random() < 0.5:
        return grey.convert("1").convert("RGB")
    values = np.asarray(grey, np.float32)
    around = cv2.GaussianBlur(values, (0, 0), 0.03 * max(picture.size))
    return Image.fromarray(
        np.where(values > 0.97 * around, 255, 0).astype(np.uint8)
    ).convert("RGB")


def halftone(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Dots of a newspaper, in grey."""
    period, angle = max(picture.size) / chance.uniform(150, 260), np.radians(45)
    rows, columns = np.mgrid[: picture.height, : picture.width]
    u = (np.cos(angle) * columns + np.sin(angle) * rows) * 2 * np.pi / period
    v = (np.cos(angle) * rows - np.sin(angle) * columns) * 2 * np.pi / period
    dots = (np.sin(u) * np.sin(v) + 1) / 2
    grey = np.asarray(ImageOps.autocontrast(picture.convert("L")), np.float32) / 255
    return from_array(255 * np.clip((grey - dots) * 4 + 0.5, 0, 1)).convert("RGB")


def denoised(picture: Image.Image, chance: random.Random) -> Image.Image:
    values = np.asarray(picture)
    factor = max(1, max(picture.size) // 700)
    if chance.random() < 0.5:
        return Image.fromarray(cv2.medianBlur(values, 2 * (2 * factor) + 1))
    return Image.fromarray(
        cv2.bilateralFilter(values, 9, chance.uniform(30, 80), 4 * factor)
    )


def grain(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Coarse grain of a fast film."""
    small = picture.resize([max(1, side // 2) for side in picture.size])
    specks = noise(small, chance)[..., :1]
    large = cv2.resize(specks, picture.size, interpolation=cv2.INTER_LINEAR)
    return from_array(np.asarray(picture) + chance.uniform(12, 30) * large[..., None])


def canvas(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A texture of cloth laid over it."""
    rows, columns = np.mgrid[: picture.height, : picture.width]
    period = max(picture.size) / chance.uniform(120, 250)
    cloth = np.sin(2 * np.pi * rows / period) * np.sin(2 * np.pi * columns / period)
    return from_array(
        np.asarray(picture) * (1 + chance.uniform(0.08, 0.18) * cloth[..., None])
    )


def moire(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Waves of a screen photographed head on."""
    shown = ImageOps.contain(picture, (1400, 1400), BICUBIC)
    rows, columns = np.mgrid[: shown.height, : shown.width]
    values = np.asarray(shown, np.float32)
    for channel in range(3):
        period, bend = chance.uniform(6, 40), chance.uniform(-0.5, 0.5)
        wave = np.sin(
            2 * np.pi * (columns + bend * rows + 20 * np.sin(rows / 180)) / period
        )
        values[..., channel] = values[..., channel] * (
            1 + chance.uniform(0.04, 0.12) * wave
        )
    return from_array(values)


# Geometry and focus


def warped(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Bent a little here and there, as by hand."""
    edge = max(picture.size)
    rows, columns = np.mgrid[: picture.height, : picture.width].astype(np.float32)
    for _ in range(3):
        x, y = (
            chance.uniform(0.2, 0.8) * picture.width,
            chance.uniform(0.2, 0.8) * picture.height,
        )
        reach = chance.uniform(0.08, 0.2) * edge
        fall = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * reach**2))
        columns = columns + chance.uniform(-0.012, 0.012) * edge * fall
        rows = rows + chance.uniform(-0.012, 0.012) * edge * fall
    bent = cv2.remap(
        np.asarray(picture),
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return Image.fromarray(bent)


def lens_corrected(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Barrel distortion taken out, or put in."""
    edge = max(picture.size) / 2
    bend = chance.choice((-1, 1)) * chance.uniform(0.02, 0.06)
    rows, columns = np.mgrid[: picture.height, : picture.width].astype(np.float32)
    x, y = (columns - picture.width / 2) / edge, (rows - picture.height / 2) / edge
    times = (1 + bend * (x * x + y * y)) / (1 + max(0, bend) * 1.2)
    bent = cv2.remap(
        np.asarray(picture), (x * times * edge + picture.width / 2).astype(np.float32),
        (y * times * edge + picture.height / 2).astype(np.float32), cv2.INTER_CUBIC,
    )  # fmt: skip
    return Image.fromarray(bent)


def portrait_blur(picture: Image.Image, chance: random.Random) -> Image.Image:
    """All but an oval in the middle out of focus."""
    wide = picture.filter(
        ImageFilter.GaussianBlur(chance.uniform(0.006, 0.018) * max(picture.size))
    )
    x, y = np.meshgrid(
        np.linspace(-1, 1, picture.width), np.linspace(-1, 1, picture.height)
    )
    a, b = chance.uniform(-0.2, 0.2), chance.uniform(-0.1, 0.2)
    size = chance.uniform(0.35, 0.6)
    mask = np.clip(
        3 * (1.2 - ((x - a) ** 2 + ((y - b) / 1.3) ** 2) ** 0.5 / size), 0, 1
    )
    return Image.composite(
        picture, wide, Image.fromarray((255 * mask).astype(np.uint8))
    )


def tilt_shift(picture: Image.Image, chance: random.Random) -> Image.Image:
    wide = picture.filter(
        ImageFilter.GaussianBlur(chance.uniform(0.005, 0.015) * max(picture.size))
    )
    y = np.abs(np.linspace(-1, 1, picture.height) - chance.uniform(-0.3, 0.3))[:, None]
    mask = np.clip(1.5 - 2.5 * y, 0, 1) * np.ones((1, picture.width))
    return Image.composite(
        picture, wide, Image.fromarray((255 * mask).astype(np.uint8))
    )


# Marks


def orange_date(picture: Image.Image, chance: random.Random) -> Image.Image:
    stamped = picture.copy()
    size = chance.uniform(0.03, 0.06) * picture.height
    place = picture.width - 5.5 * size, picture.height - 1.8 * size
    text = f"'{chance.randint(85, 99)} {chance.randint(1, 12)} {chance.randint(1, 28)}"
    written(
        stamped,
        text,
        place,
        fill=(255, 140, 30),
        font_size=size,
        stroke_width=max(1, round(size / 18)),
        stroke_fill=(200, 60, 0),
    )
    return stamped


def subtitles(picture: Image.Image, chance: random.Random) -> Image.Image:
    shown = picture.copy()
    size = chance.uniform(0.045, 0.08) * picture.height
    for line in range(chance.randint(1, 2)):
        text = " ".join(chance.choices(WORDS, k=2))
        place = 0.15 * picture.width, picture.height - (1.5 + 1.3 * line) * size
        written(
            shown,
            text,
            place,
            fill=chance.choice(("white", "yellow")),
            font_size=size,
            stroke_width=max(1, round(size / 12)),
            stroke_fill="black",
        )
    return shown


def big_letters(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Words of a meme, as high as an eighth of the picture, above and below."""
    shown = picture.copy()
    size = chance.uniform(0.09, 0.15) * picture.height
    font = ImageFont.truetype("DejaVuSans-Bold.ttf", size)
    for y in (0.02 * picture.height, picture.height - 1.3 * size):
        text = chance.choice(WORDS).upper()
        written(
            shown,
            text,
            (0.04 * picture.width, y),
            fill="white",
            font=font,
            stroke_width=max(2, round(size / 14)),
            stroke_fill="black",
        )
    return shown


def stickers(picture: Image.Image, chance: random.Random) -> Image.Image:
    for _ in range(chance.randint(2, 4)):
        picture = marks.emoji(picture, chance)
    return picture


def faces_hidden(picture: Image.Image, chance: random.Random) -> Image.Image:
    for _ in range(chance.randint(1, 3)):
        picture = marks.pixelated(picture, chance)
    return picture


def hearts(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Confetti all over."""
    shown = picture.copy()
    pen = ImageDraw.Draw(shown)
    for _ in range(chance.randint(20, 50)):
        x, y = chance.uniform(0, picture.width), chance.uniform(0, picture.height)
        size = chance.uniform(0.008, 0.02) * max(picture.size)
        pen.ellipse(
            (x, y, x + size, y + size),
            fill=tuple(chance.randint(0, 255) for _ in range(3)),
        )
    return shown


def redacted(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Black bars over what nobody should read."""
    shown = picture.copy()
    pen = ImageDraw.Draw(shown)
    for _ in range(chance.randint(1, 3)):
        wide, high = (
            chance.uniform(0.1, 0.4) * picture.width,
            chance.uniform(0.03, 0.1) * picture.height,
        )
        x, y = (
            chance.uniform(0, picture.width - wide),
            chance.uniform(0, picture.height - high),
        )
        pen.rectangle((x, y, x + wide, y + high), fill="black")
    return shown


def retouched(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A small thing painted out with what lies round it."""
    mask = np.zeros((picture.height, picture.width), np.uint8)
    radius = round(chance.uniform(0.01, 0.03) * max(picture.size))
    place = (
        chance.randint(radius, picture.width - radius),
        chance.randint(radius, picture.height - radius),
    )
    cv2.circle(mask, place, radius, 255, -1)
    return Image.fromarray(cv2.inpaint(np.asarray(picture), mask, 3, cv2.INPAINT_TELEA))


# Saving


def chain(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
    """Ten times saved, a little smaller or shifted each time."""
    for _ in range(chance.randint(6, 10)):
        factor = chance.uniform(0.88, 1.0)
        size = [max(200, round(side * factor)) for side in picture.size]
        picture = picture.resize(size, BICUBIC)
        data = encoded(picture, "JPEG", quality=chance.randint(45, 85))
        picture = Image.open(io.BytesIO(data)).convert("RGB")
    return jpeg(50, 85, metadata=0)(original, picture, chance)


def cmyk(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
    return encoded(
        picture.convert("CMYK"), "JPEG", quality=chance.randint(70, 95)
    ), ".jpg"


def deep_png(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
    values = np.asarray(picture)[..., ::-1].astype(np.uint16) * 257
    return cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 1])[
        1
    ].tobytes(), ".png"


def zeroed(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
    """The end of the file is there, but zeros: a drive that died."""
    data = encoded(picture, "JPEG", quality=chance.randint(70, 95))
    kept = round(len(data) * chance.uniform(0.3, 0.95))
    return data[:kept] + bytes(len(data) - kept), ".jpg"


def foreign(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
    """Some clusters in the middle hold what belonged to another file."""
    data = bytearray(encoded(picture, "JPEG", quality=chance.randint(70, 95)))
    at = round(len(data) * chance.uniform(0.4, 0.85))
    length = min(4096, len(data) - at - 2)
    data[at : at + length] = chance.randbytes(length).replace(b"\xff", b"\xfe")
    return bytes(data), ".jpg"


def progressive_cut(
    original: Original, picture: Image.Image, chance: random.Random
) -> Saved:
    data = encoded(picture, "JPEG", quality=chance.randint(70, 95), progressive=True)
    return data[: round(len(data) * chance.uniform(0.35, 0.95))], ".jpg"


def png_cut(original: Original, picture: Image.Image, chance: random.Random) -> Saved:
    data = encoded(picture, "PNG", compress_level=1)
    return data[: round(len(data) * chance.uniform(0.3, 0.95))], ".png"


def _wild(name: str, make: Maker, right: str, save: Save = SAVE, *, frame: bool = True) -> Kind:  # fmt: skip
    return Kind(name, make, frozenset(right.split()), save, frame, extra=True)


_SMALL = geometry.scaled(160, 320)
_MARK = any_of(
    marks.date_stamp, marks.emoji, marks.caption_bar, marks.meme, marks.watermark
)
_TINT = any_of(tones.vignetted, tones.faded, duotone, light_leak, wide_vignette)
ALTERED = "edited recoloured resaved"

WILD: tuple[Kind, ...] = (
    _wild("story", story, "framed edited resized", frame=False),
    _wild("rounded corners", rounded_corners, "edited framed resaved"),
    _wild("chat screenshot", chat, "framed resized", saving.screen, frame=False),
    _wild("post screenshot", post, "framed cropped resized", saving.screen, frame=False),
    _wild("player screenshot", video_player, "framed edited resized", frame=False),
    _wild("border with words", titled_border, "framed", frame=False),
    _wild("page scan", page, "framed turned resized recoloured", frame=False),
    _wild("print on a table", print_on_table, "framed turned edited resized recoloured", frame=False),
    _wild("slide", slide, "framed recoloured", frame=False),
    _wild("album page", album, "framed turned resized", frame=False),
    _wild("collage of nine", screens.collage(*GRID), "framed cropped resized", frame=False),
    _wild("collage strip", screens.collage(*STRIP), "framed cropped resized", frame=False),
    _wild("heat", heat, ALTERED),
    _wild("duotone", duotone, ALTERED),
    _wild("swapped channels", swapped_channels, ALTERED),
    _wild("one colour kept", selective_colour, ALTERED),
    _wild("day for night", day_for_night, ALTERED),
    _wild("hdr", hdr, ALTERED),
    _wild("wide vignette", wide_vignette, ALTERED),
    _wild("light leak", light_leak, ALTERED),
    _wild("negative", negative, ALTERED),
    _wild("solarised", solarised, ALTERED),
    _wild("few colours", few_colours, ALTERED),
    _wild("one bit", one_bit, ALTERED),
    _wild("halftone", halftone, ALTERED),
    _wild("denoised", denoised, ALTERED),
    _wild("grain", grain, ALTERED),
    _wild("canvas", canvas, ALTERED),
    _wild("moire", moire, ALTERED + " resized"),
    _wild("warped", warped, "edited"),
    _wild("lens corrected", lens_corrected, "edited"),
    _wild("stretched 5 %", geometry.stretched, "edited resized"),
    _wild("turned 5-12", geometry.straightened(5, 12), "turned cropped", frame=False),
    _wild("portrait blur", portrait_blur, ALTERED),
    _wild("tilt shift", tilt_shift, ALTERED),
    _wild("orange date", orange_date, "edited"),
    _wild("subtitles", subtitles, "edited"),
    _wild("big letters", big_letters, "edited"),
    _wild("stickers", stickers, "edited"),
    _wild("faces hidden", faces_hidden, "edited"),
    _wild("confetti", hearts, "edited"),
    _wild("redacted", redacted, "edited"),
    _wild("retouched", retouched, "edited resaved"),
    _wild("saved ten times", unchanged, "resized resaved", chain),
    _wild("cmyk", unchanged, "resaved recoloured", cmyk),
    _wild("16-bit png", unchanged, "same_pixels resaved", deep_png),
    _wild("gif of few", few_colours, "recoloured resaved edited", as_format("GIF", ".gif")),
    _wild("zeroed end", unchanged, "damaged", zeroed),
    _wild("foreign clusters", unchanged, "damaged edited", foreign),
    _wild("progressive, cut short", unchanged, "damaged", progressive_cut),
    _wild("png, cut short", unchanged, "damaged", png_cut),
    _wild("mark, tiny", then(_MARK, _SMALL), "edited resized"),
    _wild("tint, tiny", then(_TINT, _SMALL), "recoloured resized edited"),
    _wild("tiny, poor", _SMALL, "resized", jpeg(15, 40, metadata=0)),
    _wild("crop, tint, mark", then(geometry.cropped_all_round(0.05, 0.3), _TINT, _MARK), "cropped edited recoloured", frame=False),
    _wild("mirrored crop, tint", then(geometry.transposed(Image.Transpose.FLIP_LEFT_RIGHT), geometry.cropped_at_a_side(0.05, 0.25), _TINT), "cropped mirrored recoloured", frame=False),
)  # fmt: skip
