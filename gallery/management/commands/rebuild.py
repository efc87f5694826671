import sys
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery import vault
from gallery.management.results import (
    add_output_options,
    ending,
    printable,
    require_writable,
    write_result,
)
from gallery.rebuilding import NotEmpty, RebuildReport, rebuild


class Command(BaseCommand):
    help = (
        "Fill a new, empty database from the vault's files alone: photos, dates, drives "
        "and every sighting. What people decided does not come back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_output_options(parser)

    def handle(self, *, json: str | None, no_progress: bool, **options: Any) -> None:
        require_writable(json)
        stopping = ending(
            self,
            vault.NoVault,
            NotEmpty,
            interrupted=_("Interrupted. The database is as empty as it was."),
        )
        with stopping:
            report = rebuild()
        write_result(
            report.to_json(), json, self.stdout, lambda: self.summarise(report)
        )
        sys.exit(1 if report.missing or report.unreadable else 0)

    def summarise(self, report: RebuildReport) -> None:
        say = self.stdout.write
        say(
            ngettext(
                "%(count)s photo is back, from %(sources)s drives with %(entries)s entries.",
                "%(count)s photos are back, from %(sources)s drives with %(entries)s entries.",
                report.photos,
            )
            % {
                "count": f"{report.photos:,}",
                "sources": report.sources,
                "entries": f"{report.entries:,}",
            }
        )
        if report.without_record:
            say(
                _("%(count)s of them had no record and are known by their bytes only.")
                % {"count": f"{report.without_record:,}"}
            )
        if report.missing:
            say(
                _("The originals of %(count)s are missing: see verify_vault.")
                % {"count": f"{report.missing:,}"}
            )
        for one in report.unreadable:
            say(f"{printable(one['path'])}: {one['reason']}")
