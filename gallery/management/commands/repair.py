import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from gallery import vault
from gallery.management.results import (
    add_output_options,
    ending,
    named,
    printable,
    require_writable,
    write_result,
)
from gallery.originals import VaultFails
from gallery.repairing import RepairReport, repair


class Command(BaseCommand):
    help = (
        "Bring back originals that verify_vault found damaged: from drives that are "
        "plugged in, or from the folders named. Drives and backups are only read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folders",
            nargs="*",
            type=named,
            help="Where a drive is mounted now, or a backup",
        )
        parser.add_argument(
            "--from-trash",
            action="store_true",
            help="Where nothing else is left: restore the photos that gave way to it",
        )
        add_output_options(parser)

    def handle(
        self,
        *,
        folders: list[Path],
        from_trash: bool,
        json: str | None,
        **options: Any,
    ) -> None:
        require_writable(json)
        stopping = ending(
            self,
            vault.NoVault,
            VaultFails,
            interrupted=_("Interrupted. What is mended stays mended."),
        )
        with stopping:
            report = repair(folders, from_trash=from_trash)
        write_result(
            report.to_json(), json, self.stdout, lambda: self.summarise(report)
        )
        sys.exit(1 if report.left else 0)

    def summarise(self, report: RepairReport) -> None:
        say = self.stdout.write
        for one in report.mended:
            say(
                _("%(name)s is whole again: %(place)s")
                % {"name": printable(one["name"]), "place": printable(one["from"])}
            )
        for one in report.restored:
            say(
                _("%(instead)s is back from the trash, since %(name)s is lost.")
                % {"instead": printable(one["instead"]), "name": printable(one["name"])}
            )
        for left in report.left:
            say(_("%(name)s is still damaged.") % {"name": printable(left["name"])})
            for advice in left["advice"][:3]:
                say(f"    {printable(advice)}")
        if not (report.mended or report.left):
            say(_("Nothing is known to be damaged. verify_vault looks for damage."))
