"""What a file says of its date that is not when the photo was taken.

Scanners write when they scanned, editors when they saved. Such a date only says by when
the photo was there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from gallery.dates import Doubt, Evidence, Origin, Precision

# No camera wrote EXIF before; what was taken then was scanned.
FIRST_EXIF = 1995
_SCANNER = re.compile(
    r"scan|epson\s+(?:perfection|gt|wf|xp|et)|perfection|canoscan|scanjet|opticfilm|"
    r"plustek|silverfast|vuescan|coolscan|super coolscan|reflecta|dimage scan|officejet|"
    r"photosmart c|multifunction|mfp|hamrick",
    re.IGNORECASE,
)
_EDITOR = re.compile(
    r"photoshop|gimp|lightroom|picasa|acdsee|paint|irfan|xnview|iphoto|aperture|"
    r"corel|photoscape|snapseed|magick|darktable|digikam|affinity|capture one|"
    r"windows photo|microsoft|photos? (?:editor|gallery)|instagram|rawtherapee|google",
    re.IGNORECASE,
)


def honest(evidence: Iterable[Evidence], facts: Mapping[str, object]) -> list[Evidence]:
    """A file's dates, each as exact as it deserves.

    `facts` is what gallery/metadata.py read: maker, model, software, exposure.
    """
    made = " ".join(str(facts.get(name) or "") for name in ("make", "model"))
    software = str(facts.get("software") or "")
    is_scan = bool(_SCANNER.search(f"{made} {software}"))
    is_shot = bool(facts.get("exposure_seconds"))
    is_edited = not made.strip() or bool(_EDITOR.search(software))
    return [
        _judged(one, is_scan=is_scan, is_shot=is_shot, is_edited=is_edited)
        for one in evidence
    ]


def _judged(
    one: Evidence, *, is_scan: bool, is_shot: bool, is_edited: bool
) -> Evidence:
    made = one.origin in (Origin.EXIF_ORIGINAL, Origin.EXIF_DIGITISED)
    if made and is_shot and one.taken_at.year < FIRST_EXIF:
        return replace(one, doubt=Doubt.CLOCK)
    if is_scan and one.origin is not Origin.XMP and one.taken_at.year >= FIRST_EXIF:
        return replace(one, precision=Precision.LATEST, doubt=Doubt.SCANNER)
    if one.origin is Origin.EXIF_MODIFIED and (is_edited or not is_shot):
        return replace(one, precision=Precision.LATEST, doubt=Doubt.EDITOR)
    return one
