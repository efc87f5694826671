import sys
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from gallery import trash, vault
from gallery.management.bars import bar
from gallery.management.results import (
    add_output_options,
    bring_records_up,
    ending,
    write_result,
)


class Command(BaseCommand):
    help = (
        "Purge discarded photos: their bytes are gone for good. Each only when the photo "
        "kept in its place has been re-read and is intact."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=int,
            default=settings.TRASH_DAYS,
            metavar="DAYS",
            help="Purge what was discarded at least so many days ago (default: %(default)s)",
        )
        parser.add_argument(
            "--by-hand",
            action="store_true",
            help="Also delete for good what somebody put into the trash by hand, of "
            "which no copy stays; without this, only what gave way to a copy is purged",
        )
        add_output_options(parser)

    def handle(
        self,
        *,
        older_than: int,
        by_hand: bool,
        json: str | None,
        no_progress: bool,
        **options: Any,
    ) -> str | None:
        before = moment(older_than)
        stopping = ending(
            self,
            vault.NoVault,
            interrupted="Interrupted. What was purged is gone, the rest stays.",
        )
        with stopping:
            with bar(quiet=no_progress) as tell:
                report = trash.empty_trash(
                    older_than=before,
                    progress=lambda done, total: tell("Purging", done, total),
                )
            if by_hand:
                report.add(trash.delete_by_hand(older_than=before))
            bring_records_up()
        write_result(
            report.to_json(), json, self.stdout, lambda: self.summarise(report)
        )
        if report.refused:
            sys.exit(1)
        return None

    def summarise(self, report: trash.PurgeReport) -> None:
        self.stdout.write(
            f"{report.purged} photos purged, {filesizeformat(report.bytes_freed)} freed, "
            f"{len(report.refused)} refused."
        )
        for refused in report.refused:
            self.stdout.write(f"  {refused['name']}: {refused['reason']}")


def moment(days: int) -> datetime:
    """Return when it was so many days ago."""
    if days < 0:
        raise CommandError("--older-than must not be negative.", returncode=2)
    try:
        return timezone.now() - timedelta(days=days)
    except OverflowError as error:
        raise CommandError(
            f"--older-than {days}: nothing is that old.", returncode=2
        ) from error
