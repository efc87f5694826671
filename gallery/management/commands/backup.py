import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from gallery import backups, vault
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
    help = (
        "Copy what is new of the vault, database and originals, to a folder on another "
        "disk. What is copied is read back from it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=named, help="Folder on another disk")
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
        verify: bool,
        json: str | None,
        no_progress: bool,
        **options: Any,
    ) -> None:
        require_writable(json)
        stopping = ending(
            self,
            backups.Refused,
            CopyFails,
            vault.NoVault,
            interrupted=_("Interrupted. The next backup goes on from here."),
        )
        with stopping, bar(quiet=no_progress) as tell:
            report = backups.backup(
                target,
                verify=verify,
                progress=lambda done, size: tell(f"{done:,} originals", size, None),
            )
        write_result(
            report.to_json(), json, self.stdout, lambda: self.summarise(report)
        )
        sys.exit(1 if report.wrong else 0)

    def summarise(self, report: backups.BackupReport) -> None:
        say = self.stdout.write
        say(
            _("%(all)s originals in the backup, %(new)s of them new (%(size)s).")
            % {
                "all": f"{report.originals - len(report.wrong):,}",
                "new": f"{report.copied:,}",
                "size": filesizeformat(report.bytes_copied),
            }
        )
        say(_("The database as it is now: %(name)s") % {"name": report.snapshot})
        for one in report.wrong:
            say(f"{one['digest']}: {one['reason']}")
        if report.wrong:
            say(_("Mend these with `manage.py verify_vault` and `manage.py repair`."))
