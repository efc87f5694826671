import fcntl
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from gallery import backups
from gallery.copying import CopyFails
from gallery.management.bars import bar
from gallery.management.results import (
    add_output_options,
    ending,
    named,
    require_writable,
    write_result,
)


class Command(BaseCommand):
    help = "Bring a vault back from its backup, into an empty vault."
    # The checks look for the vault that this makes.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=named, help="Folder of the backup")
        parser.add_argument(
            "--at",
            default="",
            metavar="MOMENT",
            help="Which snapshot of the database, by the beginning of its name "
            "(default: the last)",
        )
        add_output_options(parser)

    def handle(
        self,
        *,
        source: Path,
        at: str,
        json: str | None,
        no_progress: bool,
        **options: Any,
    ) -> None:
        require_writable(json)
        if is_running(settings.IMAGEVAULT_DATA):
            raise CommandError(
                _("imagevault is running on this vault. Stop it first."), returncode=2
            )
        stopping = ending(
            self,
            backups.Refused,
            CopyFails,
            interrupted=_("Interrupted. Start it again to go on."),
        )
        with stopping, bar(quiet=no_progress) as tell:
            report = backups.restore(
                source,
                at=at,
                progress=lambda done, size: tell(f"{done:,} originals", size, None),
            )
        write_result(
            report.to_json(), json, self.stdout, lambda: self.summarise(report)
        )
        sys.exit(1 if report.wrong else 0)

    def summarise(self, report: backups.BackupReport) -> None:
        say = self.stdout.write
        say(
            _(
                "%(all)s originals are back and read again, %(new)s copied now (%(size)s)."
            )
            % {
                "all": f"{report.originals - len(report.wrong):,}",
                "new": f"{report.copied:,}",
                "size": filesizeformat(report.bytes_copied),
            }
        )
        for one in report.wrong:
            say(f"{one['digest']}: {one['reason']}")
        say(_("Run `make setup` before you start it: this version may be a newer one."))


def is_running(folder: Path) -> bool:
    """Whether `manage.py serve` holds the vault."""
    try:
        with (folder / "running").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
