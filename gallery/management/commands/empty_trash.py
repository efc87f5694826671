import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from gallery import trash, vault
from gallery.management.results import (
    add_output_options,
    bring_records_up,
    write_json,
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
        try:
            with shown(quiet=no_progress) as progress:
                report = trash.empty_trash(older_than=before, progress=progress)
            if by_hand:
                report.add(trash.delete_by_hand(older_than=before))
            bring_records_up()
        except vault.NoVault as error:
            raise CommandError(str(error), returncode=2) from error
        except KeyboardInterrupt:
            self.stderr.write("Interrupted. What was purged is gone, the rest stays.")
            sys.exit(130)
        if json:
            write_json(report.to_json(), json, self.stdout)
        if json != "-":
            self.summarise(report)
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


@contextmanager
def shown(*, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on a terminal; elsewhere the summary is enough."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("Purging"),
        rich.BarColumn(),
        rich.DownloadColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True)) as display:
        bar = display.add_task("")
        yield lambda done, total: display.update(bar, completed=done, total=total)
