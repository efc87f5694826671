import sys
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from gallery import exporting, spoken, vault
from gallery.copying import CopyFails
from gallery.exporting import ExportReport, Wanted
from gallery.management.bars import bar
from gallery.management.results import (
    add_output_options,
    ending,
    named,
    printable,
    require_writable,
    write_result,
)
from gallery.models import Album

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Copy the photos of the gallery to plain folders by date, with what is known of "
        "each beside it (XMP). Run again it goes on, and copies what is new."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=named, help="Folder, best on another disk")
        parser.add_argument(
            "--from",
            dest="since",
            type=first_day,
            metavar="DATE",
            help="Only what was taken then or later: 2009, 2009-07, 2009-07-21",
        )
        parser.add_argument(
            "--to",
            dest="until",
            type=last_day,
            metavar="DATE",
            help="Only what was taken then or earlier",
        )
        parser.add_argument("--album", metavar="TITLE", help="Only what is in it")
        parser.add_argument(
            "--verify",
            action="store_true",
            help="Read again what was copied before, too",
        )
        add_output_options(parser)

    def handle(
        self,
        *,
        target: Path,
        since: date | None,
        until: date | None,
        album: str | None,
        verify: bool,
        json: str | None,
        no_progress: bool,
        **options: Any,
    ) -> None:
        require_writable(json)
        wanted = Wanted(since, until, called(album) if album is not None else None)
        stopping = ending(
            self,
            exporting.Refused,
            CopyFails,
            vault.NoVault,
            interrupted=_("Interrupted. Start it again to go on."),
        )
        with stopping, bar(quiet=no_progress) as tell:
            report = exporting.export(
                target,
                wanted,
                verify=verify,
                progress=lambda files, done: tell(f"{files:,} files", done, None),
            )
        write_result(
            report.to_json(), json, self.stdout, lambda: self.summarise(report)
        )
        sys.exit(1 if report.wrong or report.changed else 0)

    def summarise(self, report: ExportReport) -> None:
        say = self.stdout.write
        say(
            _("%(all)s photos in the export, %(new)s of them new (%(size)s).")
            % {
                "all": f"{report.photos:,}",
                "new": f"{report.copied:,}",
                "size": filesizeformat(report.bytes_copied),
            }
        )
        if report.others:
            say(
                _("%(count)s films and other files beside them.")
                % {"count": f"{report.others:,}"}
            )
        if report.moved:
            say(
                _("%(count)s moved: their dates have changed.")
                % {"count": f"{report.moved:,}"}
            )
        for path in report.changed[:SHOWN]:
            say(
                _("%(file)s was changed by somebody and stays as it is.")
                % {"file": printable(path)}
            )
        if report.gone:
            say(
                _(
                    "%(count)s files stay though their photos are not in the gallery any "
                    "more; --json lists them."
                )
                % {"count": f"{len(report.gone):,}"}
            )
        for one in report.wrong[:SHOWN]:
            say(f"{printable(one['name'])}: {printable(one['reason'])}")
        if report.wrong:
            say(_("Mend these with `manage.py verify_vault` and `manage.py repair`."))


def called(title: str) -> Album:
    """The album of this title."""
    found = list(Album.objects.filter(title=title)[:2])
    if not found:
        raise CommandError(
            _("There is no album “%(title)s”.") % {"title": title}, returncode=2
        )
    if len(found) > 1:
        raise CommandError(
            _("There are several albums “%(title)s”.") % {"title": title}, returncode=2
        )
    return found[0]


def first_day(text: str) -> date | None:
    return day(text).earliest


def last_day(text: str) -> date | None:
    return day(text).latest


def day(text: str) -> spoken.Said:
    try:
        said = spoken.read(text)
    except spoken.NotADate as error:
        raise ArgumentTypeError(f"{text!r} is no date like 2009-07-21") from error
    if said.earliest is None:
        raise ArgumentTypeError(f"{text!r} is no date like 2009-07-21")
    return said
