"""Where photos come from: drives, uploads, and the ledger of every file seen on them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery import sidecars
from gallery.models.kept import KeptFile
from gallery.models.photos import Photo


def path_key(path: str, *, replaced_in: int | None = None) -> str:
    """Return what stands for a path in an index: paths may be longer than a key can be.

    A row that was replaced makes room for the path's next row by a key of its own.
    """
    text = path if replaced_in is None else f"{path}\0{replaced_in}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def folder_key(path: str) -> int:
    """Return what stands for the folder of a path in an index, as databases compute it.

    An album of Google Takeout is one folder, in however many archives it came.
    """
    folder = sidecars.album_set(path).encode()
    digest = hashlib.md5(folder, usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def path_as_given(kind: str, path: str) -> str:
    """A file's path on a source of this kind, as whoever brought it had it.

    What is uploaded lies below folders of the person and the day, which say nothing of it.
    """
    return path.split("/", 2)[-1] if kind == Source.Kind.UPLOAD else path


class SourceQuerySet(models.QuerySet):
    def drives(self) -> SourceQuerySet:
        return self.filter(kind=Source.Kind.DRIVE)

    def at_hand(self) -> SourceQuerySet:
        """Sources that nobody said are wiped or gone."""
        # See also Source.is_gone
        return self.filter(gone_at=None)


class Keep(models.TextChoices):
    """What else of a drive is kept beside its photos, where the family asks for it."""

    VIDEOS = "videos", _("videos")
    DOCUMENTS = "documents", _("all other files")


class Source(models.Model):
    """A place photos come from: a drive, or the upload page."""

    class Kind(models.TextChoices):
        DRIVE = "drive", _("drive")
        UPLOAD = "upload", _("upload")

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.DRIVE)
    label = models.CharField(max_length=200, unique=True)
    # File system and folder in it, by which a drive is known wherever it is mounted.
    volume = models.CharField(max_length=500, blank=True, db_index=True)
    # Where the drive lies when it is not plugged in, and what else there is to say.
    place = models.CharField(
        _("where it lies"),
        max_length=200,
        blank=True,
        help_text=_("Top shelf, blue box"),
    )
    notes = models.TextField(_("notes"), blank=True)
    # The file of its picture in the vault's drives/; see gallery/drive_pictures.py
    picture = models.CharField(max_length=60, blank=True, editable=False)
    # Words of Keep: what each import of it keeps beside the photos.
    keeps = models.JSONField(default=list, blank=True)
    # Where it was seen last.
    mounted_at = models.TextField(blank=True)
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    # Somebody said that it is wiped, or gone; seen again, it is neither.
    gone_at = models.DateTimeField(null=True, editable=False)

    objects = SourceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return reverse("gallery:drive", args=[self.pk])

    def keep(self, what: Iterable[str]) -> None:
        """Have this import and later ones keep this beside the photos, and no more."""
        self.keeps = sorted(Keep(word) for word in what)
        self.save(update_fields=["keeps"])

    @property
    def picture_url(self) -> str:
        address = reverse("gallery:drive_picture", args=[self.pk])
        return f"{address}?v={self.picture}"

    @property
    def is_gone(self) -> bool:
        # See also SourceQuerySet.at_hand
        return self.gone_at is not None

    def mark_gone(self) -> None:
        """Note that nothing lies on it any more, or that nobody has it."""
        self.gone_at = timezone.now()
        self.save(update_fields=["gone_at"])

    def mark_there(self) -> None:
        self.gone_at = None
        self.save(update_fields=["gone_at"])


class ImportRunQuerySet(models.QuerySet):
    def finished(self) -> ImportRunQuerySet:
        return self.filter(state=ImportRun.State.FINISHED)

    def outdated(self) -> list[int]:
        """Runs before the last whole one over their source: what they saw last is gone."""
        whole = self.finished().order_by()
        newest = dict(whole.values_list("source").annotate(models.Max("pk")))
        runs = self.filter(source__in=newest).values_list("pk", "source")
        return [pk for pk, source in runs if pk < newest[source]]


class ImportRun(models.Model):
    """One pass over a source: when, by whom, and its counts."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        INTERRUPTED = "interrupted", _("interrupted")

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.RUNNING
    )
    # By which rules pictures were told from other files; see gallery/formats.py
    recipe = models.PositiveSmallIntegerField(default=0, editable=False)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    seen = models.PositiveIntegerField(default=0)
    bytes_seen = models.PositiveBigIntegerField(default=0)
    bytes_stored = models.PositiveBigIntegerField(default=0)
    # What was seen, as one digest (gallery/walk.py); empty unless all of it was.
    listing = models.CharField(max_length=64, blank=True, editable=False)
    # Outcome to count; adds up to `seen`.
    outcomes = models.JSONField(default=dict)

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"run {self.pk} over {self.source}"


class Outcome(models.TextChoices):
    """What became of a file seen on a source: exactly one of these."""

    IMPORTED = "imported", _("imported")
    ALREADY_KNOWN = "already_known", _("already in the vault")
    # Nobody read the file: this proves nothing about any drive.
    CLAIMED = "claimed", _("in the vault already, by the word of a browser")
    DISCARDED = "discarded_earlier", _("discarded earlier in favour of another photo")
    # No photo, and kept all the same.
    KEPT = "kept", _("a video or document, kept beside the photos")
    PART = "part", _("part of a photo, kept with it")
    SIDECAR = "sidecar", _("a program's note beside a photo, kept with it")
    ARCHIVE = "archive", _("an archive, its contents are listed")
    # Not kept, by choice.
    VIDEO = "video", _("a video, not kept")
    NOT_A_PHOTO = "not_a_photo", _("another document, not kept")
    JUNK = "junk", _("junk left by a computer")
    EMPTY = "empty", _("empty")
    EXCLUDED = "excluded", _("excluded by choice")
    LINK = "link", _("a link, not followed")
    SPECIAL = "special", _("not a file")
    UNREADABLE = "unreadable", _("unreadable")


class SourceFileQuerySet(models.QuerySet):
    def at(self, source: Source, paths: Iterable[str]) -> SourceFileQuerySet:
        """Ledger rows of these paths of a source."""
        return self.filter(source=source, path_key__in=[path_key(p) for p in paths])

    def current(self) -> SourceFileQuerySet:
        """What lies on the sources now, as far as they were seen."""
        # See also SourceFile.is_current
        return self.filter(replaced_in=None)

    def lying(self) -> SourceFileQuerySet:
        """What the last whole run over each source saw, and what came after it."""
        return self.current().exclude(last_run__in=ImportRun.objects.outdated())

    def inside(self, source: Source, archives: Iterable[str]) -> SourceFileQuerySet:
        """What lies in archives now, by their keys."""
        # The empty key is that of all that lies in none; the index knows this too.
        rows = self.current().filter(source=source, archive__gt="")
        return rows.filter(archive__in=list(archives))

    def of_run(self, run: int) -> SourceFileQuerySet:
        """Sightings of photos that a run was the first or the last to note."""
        is_noted = models.Q(first_run=run) | models.Q(last_run=run)
        return self.with_photo().filter(is_noted)

    def with_photo(self) -> SourceFileQuerySet:
        return self.filter(photo__isnull=False)

    def seen(self) -> Iterator[tuple[int, int, str]]:
        """Yield photo, source and path of each sighting."""
        rows = self.values_list("photo_id", "source_id", "path")
        yield from rows.iterator(chunk_size=5_000)


class SourceFile(models.Model):
    """One file seen on a source: a row of the ledger.

    The outcome is the one of the run that opened the file last; while it lies unchanged,
    later runs only note that they saw it. Where other content takes a photo's place on
    the drive, the photo's row stays as history and the path gets a new one.

    `path` is relative to the source, with `/`. Bytes that are not UTF-8 are written
    by gallery.walk.readable, which can be turned back. What lies in an archive has the
    path `archive.zip!/inner/path`.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="files")
    path = models.TextField()
    path_key = models.CharField(max_length=32, editable=False)
    # Of what lies in an archive: the path_key of the outermost one.
    archive = models.CharField(max_length=32, blank=True, editable=False)
    # By which the files beside it are found.
    folder_key = models.BigIntegerField(null=True, editable=False)
    # Of an edited version: the path_key of its original on the same source.
    version_of = models.CharField(max_length=32, blank=True, editable=False)
    size = models.PositiveBigIntegerField(default=0)
    modified_ns = models.BigIntegerField(
        null=True, help_text="Modification time, nanoseconds since 1970 UTC"
    )
    outcome = models.CharField(max_length=20, choices=Outcome.choices)
    reason = models.CharField(max_length=500, blank=True)
    photo = models.ForeignKey(
        Photo, on_delete=models.PROTECT, null=True, related_name="sightings"
    )
    # What it is where it is no photo, and kept.
    kept = models.ForeignKey(
        KeptFile, on_delete=models.PROTECT, null=True, related_name="sightings"
    )
    first_run = models.ForeignKey(ImportRun, on_delete=models.PROTECT, related_name="+")
    # The run that found something else at this path; empty for what is there now.
    replaced_in = models.ForeignKey(
        ImportRun, on_delete=models.PROTECT, null=True, related_name="+"
    )
    last_run = models.ForeignKey(
        ImportRun, on_delete=models.PROTECT, related_name="files"
    )

    objects = SourceFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "path_key"], name="gallery_path_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["source", "archive"],
                name="gallery_in_archive",
                condition=models.Q(archive__gt=""),
            ),
            models.Index(
                fields=["source", "version_of"],
                name="gallery_version_of",
                condition=models.Q(version_of__gt=""),
            ),
            models.Index(fields=["source", "folder_key"], name="gallery_by_folder"),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.path}"

    @property
    def is_current(self) -> bool:
        # See also SourceFileQuerySet.current
        return self.replaced_in_id is None

    @property
    def is_stored(self) -> bool:
        """Whether it was a photo or a kept file of the vault when it was seen."""
        return self.photo_id is not None or self.kept_id is not None

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]
