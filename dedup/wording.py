"""What a batch is, in sentences: what its sets have in common, and what stays."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dedup.batches import Camera, Scale
from dedup.models import Batch
from dedup.relation import Name
from dedup.runs import Proof
from gallery.models import Source

SCALES: dict[str, str | Promise] = {
    Scale.SAME: gettext_lazy("of the same size"),
    Scale.SMALLER: gettext_lazy("somewhat smaller"),
    Scale.CLEARLY_SMALLER: gettext_lazy("clearly smaller"),
    Scale.MUCH_SMALLER: gettext_lazy("much smaller"),
    Scale.LARGER: gettext_lazy("larger, but not better"),
    Scale.SEVERAL: gettext_lazy("of several sizes"),
}
# What was done to those that go.
ALTERED: dict[str, str | Promise] = {
    Name.FRAMED: gettext_lazy("with a frame"),
    Name.CROPPED: gettext_lazy("cropped"),
    Name.MIRRORED: gettext_lazy("mirrored"),
    Name.TURNED: gettext_lazy("turned"),
    Name.EDITED: gettext_lazy("edited"),
    Name.RECOLOURED: gettext_lazy("in other colours"),
    Name.RESAVED: gettext_lazy("saved again"),
    "mixed": gettext_lazy("altered in several ways"),
}
CAMERAS: dict[str, str | Promise] = {
    Camera.ALL: gettext_lazy("with camera data"),
    Camera.SOME: gettext_lazy("some with camera data"),
    Camera.NONE: gettext_lazy("without camera data"),
}


def sets(count: int) -> str:
    number = number_format(count, force_grouping=True)
    return ngettext("%s set", "%s sets", count) % number


def title(batch: Batch) -> str:
    """Return what meets what: the folders, or that every pixel is the same."""
    if batch.is_safe and not batch.is_by_folder:
        return _("Exactly the same pixels")
    return _("%(others)s against %(keeper)s") % {
        "others": others_place(batch),
        "keeper": keeper_place(batch),
    }


def keeper_place(batch: Batch) -> str:
    return _place(batch, batch.keeper_source, batch.keeper_folder)


def others_place(batch: Batch) -> str:
    if batch.is_scattered:
        return _("several folders")
    return _place(batch, batch.other_source, batch.other_folder)


def _place(batch: Batch, source: Source | None, folder: str) -> str:
    """Return a folder, and its source where the batch has two."""
    if source is None:
        return folder or _("an unknown place")
    if batch.is_by_folder:
        return f"{source.label}/{folder}" if folder else source.label
    if not folder:
        return source.label
    if batch.keeper_source_id == batch.other_source_id:
        return folder
    return _("%(folder)s on %(source)s") % {"folder": folder, "source": source.label}


def those_that_go(batch: Batch) -> str:
    """Return in words what the photos are that would go to the trash."""
    if batch.is_by_folder:
        return _("their copies in %s") % others_place(batch)
    if batch.is_safe:
        return _("the same picture in another file")
    words = [
        _edges(batch.other_long, batch.other_short),
        str(SCALES.get(batch.scale, "")),
        str(ALTERED.get(batch.relation, "")),
        str(CAMERAS.get(batch.other_camera, "")),
    ]
    return ", ".join(word for word in words if word)


def those_that_stay(batch: Batch) -> str:
    if batch.is_by_folder:
        return _("those in %s") % keeper_place(batch)
    if batch.is_safe:
        return _("the file that knows most, or was seen most often")
    camera = Camera.ALL if batch.keeper_camera else Camera.NONE
    words = [_edges(batch.keeper_long, batch.keeper_short), str(CAMERAS[camera])]
    return ", ".join(word for word in words if word)


def _edges(long: int, short: int) -> str:
    if not long:
        return ""
    return _("up to %(long)d × %(short)d") % {  # noqa: RUF001
        "long": long,
        "short": short,
    }


def keep(batch: Batch) -> str:
    """Return in a few words which photo of each set stays."""
    if batch.is_by_folder:
        return _("keep those in %s") % keeper_place(batch)
    if batch.is_safe:
        return _("keep one of each")
    reasons: list[tuple[bool, Callable[[], str]]] = [
        (_keeper_differs(batch), lambda: keeper_place(batch)),
        (
            batch.keeper_camera and batch.other_camera == Camera.NONE,
            lambda: _("the one with camera data"),
        ),
        (
            batch.scale in (Scale.SMALLER, Scale.CLEARLY_SMALLER, Scale.MUCH_SMALLER),
            lambda: _("the larger one"),
        ),
    ]
    which = next((say() for holds, say in reasons if holds), _("the better one"))
    return _("keep %s") % which


def _keeper_differs(batch: Batch) -> bool:
    ours = batch.keeper_source_id, batch.keeper_folder
    return not batch.is_scattered and ours != (
        batch.other_source_id,
        batch.other_folder,
    )


def sentence(batch: Batch, count: int) -> str:
    """Return all of it in one sentence, for the log and the list of runs."""
    return _("%(sets)s: %(title)s: %(keep)s") % {
        "sets": sets(count),
        "title": title(batch),
        "keep": keep(batch),
    }


def proven(proof: Proof) -> str:
    """Return what looking at the sample says of the others."""
    if not proof.looked:
        return _("Nobody has looked at a sample of it yet.")
    counts = {"wrong": proof.wrong, "looked": proof.looked}
    seen = _("%(wrong)d wrong of %(looked)d drawn at random") % counts
    if proof.is_complete:
        return _("%s: every set that is left has been looked at.") % seen
    most = number_format(proof.most_wrong, 0 if proof.most_wrong >= 2 else 1)
    return _(
        "%(seen)s: of those not looked at, at most %(most)s %% are wrong, at 95 %% "
        "certainty."
    ) % {"seen": seen, "most": most}
