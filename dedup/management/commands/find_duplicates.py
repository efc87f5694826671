import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from dedup.backlog import Progress, Report, find_duplicates
from gallery import vault
from gallery.management.results import add_output_options, ending, write_result


class Command(BaseCommand):
    help = (
        "Do here and now all that is outstanding (thumbnails, fingerprints, comparing, "
        "sets), then report the sets of duplicates. Safe to run again, and beside the "
        "background workers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--workers",
            type=int,
            default=settings.IMAGEVAULT_WORKERS,
            metavar="N",
            help="Processes to work with (default: %(default)s)",
        )
        add_output_options(parser)

    def handle(
        self, *, workers: int, json: str | None, no_progress: bool, **options: Any
    ) -> None:
        if workers < 1:
            raise CommandError("--workers must be at least 1.", returncode=2)
        said = "Interrupted. Start it again to go on."
        with ending(self, vault.NoVault, interrupted=said):
            vault.require(settings.IMAGEVAULT_DATA)
            with shown(quiet=no_progress) as progress:
                report = find_duplicates(workers=workers, progress=progress)
        write_result(
            report.to_json(), json, self.stdout, lambda: self.summarise(report)
        )
        if report.failed:
            sys.exit(1)

    def summarise(self, report: Report) -> None:
        say = self.stdout.write
        duplicates = report.open_sets["duplicates"]
        similar = report.open_sets["similar_shots"]
        say(f"{report.photos:,} photos looked at in {report.seconds:.1f} s.")
        say(
            f"{duplicates:,} {'set' if duplicates == 1 else 'sets'} of duplicates to "
            f"decide, {filesizeformat(report.bytes_to_gain)} to gain."
        )
        say(
            f"{similar:,} {'set' if similar == 1 else 'sets'} of similar shots to look at."
        )
        if report.crowded:
            say(
                f"{report.crowded:,} photos look like more others than are compared: "
                "the nearest ones were."
            )
        for failed in report.failed:
            say(f"Not compared: {failed.what}: {failed.reason}")


@contextmanager
def shown(*, quiet: bool) -> Iterator[Progress | None]:
    """Show each stage as a bar on a terminal, as a line when it ends elsewhere."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with bars() as progress:
            yield progress
    else:
        lines = Lines()
        yield lines
        lines.end()


@contextmanager
def bars() -> Iterator[Progress]:
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description:13}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True)) as display:
        shown: dict[str, rich.TaskID] = {}

        def progress(label: str, done: int, total: int) -> None:
            if label not in shown:
                shown[label] = display.add_task(label, rate="")
            task = next(one for one in display.tasks if one.id == shown[label])
            rate = f"{task.speed:,.0f}/s" if task.speed else ""
            display.update(shown[label], completed=done, total=total, rate=rate)

        yield progress


class Lines:
    """One line for each stage, written when the next one begins."""

    def __init__(self) -> None:
        self.label, self.done = "", 0

    def __call__(self, label: str, done: int, total: int) -> None:
        if label != self.label:
            self.end()
        self.label, self.done = label, done

    def end(self) -> None:
        if self.done:
            print(f"{self.label}: {self.done:,}", file=sys.stderr)  # noqa: T201
        self.done = 0
