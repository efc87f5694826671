"""What can be asked of the browse page, read from its address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.validators import RegexValidator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from gallery import albums, copies, drive_pictures, previews
from gallery.columns import Selection, day_start, month_start
from gallery.models import (
    Album,
    Favourite,
    ImportRun,
    Keep,
    KeptFile,
    Precision,
    Source,
    SourceFile,
)
from gallery.orders import Order, Place
from gallery.sandbox import Unreadable

ORDERS = {
    "-taken": (_("Newest first"), Order("taken", descending=True)),
    "taken": (_("Oldest first"), Order("taken")),
    "-added": (_("Last added first"), Order("added", descending=True)),
    "added": (_("First added first"), Order("added")),
    "-size": (_("Largest file first"), Order("size", descending=True)),
    "size": (_("Smallest file first"), Order("size")),
    "name": (_("Name, A to Z"), Order("name")),
    "-name": (_("Name, Z to A"), Order("name", descending=True)),
    "-pixels": (_("Most pixels first"), Order("pixels", descending=True)),
    "pixels": (_("Fewest pixels first"), Order("pixels")),
    "hand": (_("By hand"), Order("hand")),
}
DEFAULT = "-taken"
QUALITIES = {
    "exact": (_("Exact"), [Precision.SECOND, Precision.MINUTE]),
    "day": (_("The day"), [Precision.DAY]),
    "month": (_("The month"), [Precision.MONTH]),
    "season": (_("The season"), [Precision.SEASON]),
    "year": (_("The year"), [Precision.YEAR]),
    "decade": (_("The decade"), [Precision.DECADE]),
    "latest": (_("By when, no more"), [Precision.LATEST]),
    "unknown": (_("Date unknown"), [Precision.UNKNOWN]),
}
# The same, as a sentence on the photos.
KNOWN = {
    "exact": _("Date known exactly"),
    "day": _("Date known to the day"),
    "month": _("Date known to the month"),
    "season": _("Date known to the season"),
    "year": _("Date known to the year"),
    "decade": _("Date known to the decade"),
    "latest": _("Only known by when it was there"),
    "unknown": _("Date unknown"),
}
MB = 1_000_000
IN_VAULT = "vault"
DAY = 86_400 * 1_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is in force, and the address without it."""

    label: str
    address: str


class BrowseForm(forms.Form):
    """A selection of the photos: what they have to be, and their order.

    Whatever cannot be read is as if blank, so that every address shows photos.
    """

    q = forms.CharField(label=_("Search"), required=False, max_length=200)
    sort = forms.ChoiceField(
        label=_("Order"),
        required=False,
        choices=[(name, label) for name, (label, _) in ORDERS.items()],
    )
    album = forms.IntegerField(label=_("Album"), required=False, min_value=1)
    starred = forms.BooleanField(label=_("Favourites"), required=False)
    year = forms.IntegerField(
        label=_("Year"), required=False, min_value=1, max_value=9_998
    )
    since = forms.DateField(label=_("Taken from"), required=False)
    until = forms.DateField(label=_("to"), required=False)
    quality = forms.ChoiceField(
        label=_("How well the date is known"),
        required=False,
        choices=[("", _("No matter"))]
        + [(name, label) for name, (label, _) in QUALITIES.items()],
    )
    camera = forms.CharField(label=_("Camera"), required=False)
    source = forms.IntegerField(label=_("Drive"), required=False, min_value=1)
    # Only in the vault, or of all drives only on this one.
    copies = forms.CharField(
        label=_("On which disks"),
        required=False,
        validators=[RegexValidator(rf"^({IN_VAULT}|[1-9]\d{{0,17}})\Z")],
    )
    format = forms.CharField(label=_("Format"), required=False)
    # What came in with one import or upload; linked to from there.
    run = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    least = forms.FloatField(
        label=_("File size from, MB"), required=False, min_value=0, max_value=1e9
    )
    most = forms.FloatField(
        label=_("to, MB"), required=False, min_value=0, max_value=1e9
    )
    group = forms.ChoiceField(
        label=_("Headings"),
        required=False,
        choices=[("", _("Each month")), ("day", _("Each day"))],
    )
    # Where to begin; no part of the selection.
    at = forms.CharField(
        required=False, validators=[RegexValidator(r"^\d{4}(-(0[1-9]|1[0-2]))?\Z")]
    )

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        self.is_valid()

    @cached_property
    def chosen_album(self) -> Album | None:
        key = self.asked("album")
        return Album.objects.filter(pk=key).first() if key else None

    def asked(self, name: str) -> Any:
        """Return what was asked under a name, None where nothing that can be read."""
        value = self.cleaned_data.get(name)
        return None if value in ("", False) else value

    # Order

    @property
    def sort_name(self) -> str:
        asked = self.asked("sort")
        return asked if asked in self.sorts else self.usual_sort

    @property
    def usual_sort(self) -> str:
        return self.chosen_album.sort if self.chosen_album else DEFAULT

    @property
    def sorts(self) -> dict[str, Any]:
        """The orders there are, by name; by hand only albums have one."""
        names = {name: label for name, (label, _order) in ORDERS.items()}
        if not self.chosen_album:
            del names["hand"]
        return names

    @property
    def order(self) -> Order:
        return ORDERS[self.sort_name][1]

    @property
    def is_by_date(self) -> bool:
        return self.order.field == "taken"

    @property
    def is_by_day(self) -> bool:
        return bool(self.asked("group"))

    @property
    def start(self) -> Place | None:
        """The place right before the month or year asked for, in the order by date."""
        if not self.is_by_date or not self.asked("at"):
            return None
        first, last = months(self.asked("at"))
        if self.order.descending:
            return Place(month_start(last + 1), 0)
        return Place(month_start(first), 0)

    # Selection

    @property
    def is_filtered(self) -> bool:
        return any(self.asked(name) is not None for name in FILTERS)

    @property
    def is_backwards(self) -> bool:
        """Whether the last day asked for lies before the first."""
        first, last = self.asked("since"), self.asked("until")
        return bool(first and last and last < first)

    def select(self, photos: Selection, user: AbstractBaseUser) -> Selection:
        for name in FILTERS:
            value = self.asked(name)
            if name == "starred" and value:
                keys = Favourite.objects.of(user).photos()
                photos = photos.among(np.array(sorted(keys), np.int64))
            elif value is not None:
                photos = getattr(self, f"_select_{name}")(photos, value)
        return photos

    def _select_q(self, photos: Selection, text: str) -> Selection:
        return photos.told_by(text)

    def _select_album(self, photos: Selection, key: int) -> Selection:
        if self.chosen_album is None:
            return photos.among(np.array([], np.int64))
        return albums.select(photos, self.chosen_album)

    def _select_year(self, photos: Selection, year: int) -> Selection:
        return photos.in_month(12 * year, 12 * year + 11)

    def _select_since(self, photos: Selection, day: date) -> Selection:
        return photos.between("taken", day_start(day), None)

    def _select_until(self, photos: Selection, day: date) -> Selection:
        return photos.between("taken", None, day_start(day) + DAY - 1)

    def _select_quality(self, photos: Selection, quality: str) -> Selection:
        return photos.named("precision", QUALITIES[quality][1])

    def _select_camera(self, photos: Selection, camera: str) -> Selection:
        return photos.named("camera", [camera])

    def _select_source(self, photos: Selection, source: int) -> Selection:
        return photos.seen_on(source)

    def _select_copies(self, photos: Selection, where: str) -> Selection:
        if where == IN_VAULT:
            return copies.only_in_vault(photos)
        return copies.only_on(photos, int(where))

    def _select_format(self, photos: Selection, format: str) -> Selection:
        return photos.named("format", [format])

    def _select_run(self, photos: Selection, run: int) -> Selection:
        keys = SourceFile.objects.of_run(run).values_list("photo_id", flat=True)
        return photos.among(np.array(sorted(set(keys)), np.int64))

    def _select_least(self, photos: Selection, megabytes: float) -> Selection:
        return photos.between("size", int(megabytes * MB), None)

    def _select_most(self, photos: Selection, megabytes: float) -> Selection:
        return photos.between("size", None, int(megabytes * MB))

    # Addresses

    @property
    def query(self) -> str:
        """The selection as the end of an address, empty for the usual one."""
        return self.address()

    def address(self, **changed: Any) -> str:
        """Return the end of the address with some of what was asked changed."""
        asked = {name: self.asked(name) for name in ("sort", *FILTERS, "group")}
        asked |= changed
        if asked["sort"] == self.usual_sort:
            asked["sort"] = None
        query = QueryDict(mutable=True)
        query.update(
            {name: plain(value) for name, value in asked.items() if value is not None}
        )
        return f"?{query.urlencode()}" if query else ""

    @property
    def unfiltered(self) -> str:
        """The end of the address without filters: all photos, or all of the album."""
        return f"?album={self.chosen_album.pk}" if self.chosen_album else ""

    def chips(self) -> Iterator[Chip]:
        """Yield the filters in force, as a person would say them.

        An album is no filter to who looks at it: it stands above the photos.
        """
        for name in FILTERS:
            value = self.asked(name)
            if value is not None and not (name == "album" and self.chosen_album):
                yield Chip(self._said(name, value), self.address(**{name: None}))

    def _said(self, name: str, value: Any) -> str:
        if name in LOOKED_UP:
            return LOOKED_UP[name](value)
        match name:
            case "since" | "until":
                return str(SAID[name]) % date_format(value)
            case "least" | "most":
                return str(SAID[name]) % shown(value)
            case "quality":
                return str(KNOWN[value])
            case "starred":
                return gettext("Favourites")
            case "album":
                return self._album_said()
        return str(SAID.get(name, "%s")) % value

    def _album_said(self) -> str:
        album = self.chosen_album
        return album.title if album else gettext("An album that is not there")


SAID = {
    "q": pgettext_lazy("words looked for", "“%s”"),
    "since": _("From %s"),
    "until": _("Until %s"),
    "least": _("From %s MB"),
    "most": _("Up to %s MB"),
}
FILTERS = (
    *("album", "q", "starred", "year", "since", "until", "quality", "camera", "source"),
    *("copies", "format", "run", "least", "most"),
)


def source_said(pk: int) -> str:
    source = Source.objects.filter(pk=pk).first()
    return source.label if source else gettext("A drive that is not known")


def copies_said(where: str) -> str:
    if where == IN_VAULT:
        return gettext("Only in the vault")
    return gettext("Of all drives only on %s") % source_said(int(where))


def run_said(pk: int) -> str:
    run = ImportRun.objects.select_related("source").filter(pk=pk).first()
    if run is None:
        return gettext("An upload that is not known")
    return gettext("%(source)s, %(day)s") % {
        "source": run.source.label,
        "day": date_format(timezone.localdate(run.started_at)),
    }


LOOKED_UP: dict[str, Callable[[Any], str]] = {
    "copies": copies_said,
    "run": run_said,
    "source": source_said,
}


def plain(value: Any) -> str:
    """Return a value as it stands in an address."""
    if value is True:
        return "1"
    return f"{value:g}" if isinstance(value, float) else str(value)


def shown(value: float) -> str:
    """Return a number as the reader writes it, without needless decimals."""
    return number_format(plain(value))


def months(text: str) -> tuple[int, int]:
    """Return the first and last month of "2004" or "2004-07", from the year 0."""
    year, *month = map(int, re.findall(r"\d+", text))
    first = 12 * year + (month[0] - 1 if month else 0)
    return first, first if month else first + 11


class KeptForm(forms.Form):
    """Which of the files kept beside the photos to list; what cannot be read is blank."""

    q = forms.CharField(label=_("Name"), required=False, max_length=200)
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[
            ("", _("Videos and documents")),
            (KeptFile.Kind.VIDEO, _("Videos")),
            (KeptFile.Kind.DOCUMENT, _("Documents")),
            (KeptFile.Kind.PART, _("Parts of photos")),
        ],
    )
    source = forms.ModelChoiceField(
        Source.objects.order_by("label"),
        label=_("Drive"),
        required=False,
        empty_label=_("Any"),
    )

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        self.is_valid()
        for one in self.fields.values():
            one.widget.attrs["class"] = "field w-full"

    def select(self, files: QuerySet[KeptFile]) -> QuerySet[KeptFile]:
        asked = self.cleaned_data
        listed = [KeptFile.Kind.VIDEO, KeptFile.Kind.DOCUMENT]
        kind = asked.get("kind")
        files = files.filter(kind__in=[kind] if kind else listed)
        if words := asked.get("q"):
            files = files.filter(name__icontains=words)
        if source := asked.get("source"):
            seen = SourceFile.objects.current().filter(source=source)
            files = files.filter(Exists(seen.filter(kept=OuterRef("pk"))))
        return files


class DriveForm(forms.ModelForm):
    """What the family calls a drive, where it lies, what it looks like, and what is kept."""

    picture = forms.FileField(
        label=_("A picture of it"),
        required=False,
        help_text=_("So that you find it in the cupboard."),
        widget=forms.FileInput(
            attrs={"class": "field w-full py-2", "accept": "image/*"}
        ),
    )
    no_picture = forms.BooleanField(label=_("Take its picture away"), required=False)
    keeps = forms.MultipleChoiceField(
        label=_("Besides its photos, later imports of it keep"),
        choices=Keep.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "size-5"}),
        help_text=_("What is in the vault already stays there either way."),
    )

    class Meta:
        model = Source
        fields = ["label", "place", "notes", "keeps"]
        widgets = {
            "label": forms.TextInput(attrs={"class": "field w-full"}),
            "place": forms.TextInput(attrs={"class": "field w-full"}),
            "notes": forms.Textarea(attrs={"rows": 4, "class": "field w-full py-2"}),
        }

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if not self.instance.picture:
            del self.fields["no_picture"]

    def clean_picture(self) -> Any:
        sent = self.cleaned_data["picture"]
        if sent and sent.size > drive_pictures.MOST_BYTES:
            raise forms.ValidationError(
                gettext("This file is too large for a picture.")
            )
        return sent

    def keep_picture(self) -> bool:
        """Keep the picture that was sent, or none; False with an error if it is no picture."""
        sent = self.cleaned_data["picture"]
        try:
            if sent:
                drive_pictures.keep(self.instance, sent.chunks())
            elif self.cleaned_data.get("no_picture"):
                drive_pictures.drop(self.instance)
        except Unreadable:
            self.add_error(
                "picture", gettext("This file is no picture that can be read.")
            )
        except previews.Busy:
            self.add_error(
                "picture", gettext("Pictures are being made. Try again soon.")
            )
        return not self.errors


class AlbumForm(forms.ModelForm):
    """What an album is called, and the order its photos stand in by themselves."""

    class Meta:
        model = Album
        fields = ("title", "description", "sort")


class ShareForm(forms.Form):
    """How long a link leads in, and what it offers."""

    name = forms.CharField(label=_("For whom"), required=False, max_length=100)
    days = forms.TypedChoiceField(
        label=_("It ends"),
        coerce=int,
        initial=30,
        choices=[
            (7, _("after a week")),
            (30, _("after 30 days")),
            (90, _("after three months")),
            (365, _("after a year")),
            (0, _("when it is called back")),
        ],
    )
    password = forms.CharField(
        label=_("Password, if it should ask for one"), required=False, max_length=100
    )
    offers_copies = forms.BooleanField(
        label=_("Photos may be downloaded in web size"), required=False, initial=True
    )
    offers_originals = forms.BooleanField(
        label=_(
            "So may the originals, with all the camera noted in them, the place too"
        ),
        required=False,
    )
    offers_zip = forms.BooleanField(
        label=_("So may all originals at once, as a zip"), required=False
    )
    shows_place = forms.BooleanField(
        label=_("Show where a photo was taken"), required=False
    )

    def clean_offers_zip(self) -> bool:
        if (
            self.cleaned_data["offers_zip"]
            and not self.cleaned_data["offers_originals"]
        ):
            raise forms.ValidationError(
                _("The zip is made of the originals: allow those, too, or no zip.")
            )
        return bool(self.cleaned_data["offers_zip"])
