import sys
import time
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from gallery import containment
from gallery.containment import Folder, Level, Place, Report
from gallery.management.results import (
    add_output_options,
    counted,
    duration,
    ending,
    printable,
    require_writable,
    write_result,
)
from gallery.models import Source

SHOWN = 500


class Command(BaseCommand):
    help = (
        "Tell of every folder of a drive how much of it is in the vault, or in another "
        "folder: byte for byte, pixel for pixel, and visually. Nothing is read again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "drive", help="What the family calls the drive, or DRIVE/FOLDER"
        )
        parser.add_argument(
            "--against",
            metavar="DRIVE/FOLDER",
            help="The folder to look in instead of the vault",
        )
        add_output_options(parser)

    def handle(
        self,
        *,
        drive: str,
        against: str | None,
        json: str | None,
        no_progress: bool,
        **options: Any,
    ) -> None:
        require_writable(json)
        place, target = named(drive), named(against) if against else None
        started = time.monotonic()
        with ending(self, interrupted=_("Interrupted. Nothing was changed.")):
            found = containment.report(place, against=target)
        seconds = time.monotonic() - started
        result = found.to_json() | {"seconds": round(seconds, 3)}
        write_result(result, json, self.stdout, lambda: self.summarise(found, seconds))
        sys.exit(1 if found.whole.missing.count else 0)

    def summarise(self, found: Report, seconds: float) -> None:
        say = self.stdout.write
        for folder in found.folders[:SHOWN]:
            name = printable(folder.path) if folder.path else str(found.place.source)
            say(f"{folder.percent:5.1f} %  {name}: {told(folder)}")
        if len(found.folders) > SHOWN:
            more = len(found.folders) - SHOWN
            say(_("... and %(count)s more; --json lists them.") % {"count": more})
        missing = found.whole.missing.count
        if missing:
            where = found.against or _("the vault")
            say(_("Not in %(place)s: %(count)s") % {"place": where, "count": missing})
        for row in containment.only_here(found):
            say(f"  {printable(row.path)} ({row.get_outcome_display()})")
        if missing > len(found.only_here):
            say(f"  ... {missing - len(found.only_here):,}")
        say(duration(seconds))


def told(folder: Folder) -> str:
    """What was found of a folder, in one line."""
    words = {
        Level.BYTES: _("byte for byte"),
        Level.PIXELS: _("pixel for pixel"),
        Level.LOOKS: _("visually"),
        Level.MISSING: _("not"),
    }
    parts = [
        f"{folder.amounts[level].count:,} {word} "
        f"({filesizeformat(folder.amounts[level].bytes)})"
        for level, word in words.items()
        if folder.amounts[level].count
    ]
    line = f"{counted(folder.files, 'file', 'files')}: " + ", ".join(parts)
    if folder.holder:
        count, place = folder.holder.count, folder.holder.place
        line += "; " + _("%(count)s of them in %(place)s") % {
            "count": f"{count:,}",
            "place": printable(str(place)),
        }
    return line


def named(text: str) -> Place:
    """The drive, and the folder on it, that a text names."""
    steps = text.rstrip("/").split("/")
    for end in range(len(steps), 0, -1):
        source = Source.objects.filter(label="/".join(steps[:end])).first()
        if source:
            return Place(source, "/".join(steps[end:]))
    known = ", ".join(Source.objects.drives().values_list("label", flat=True)[:20])
    raise CommandError(
        _("There is no drive called %(name)s. Known are: %(known)s")
        % {"name": text, "known": known or "-"},
        returncode=2,
    )
