import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from dedup import verdicts
from gallery.management.results import write_json


class Command(BaseCommand):
    help = (
        "Take over what people said of pairs of photos in another vault. What was said "
        "here stays as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="A file that export_verdicts wrote")
        parser.add_argument("--json", metavar="FILE", help="Write the result as JSON")

    def handle(self, *, file: Path, json: str | None, **options: Any) -> None:
        try:
            report = verdicts.take_in(file.read_bytes())
        except OSError as error:
            raise CommandError(
                f"{file} cannot be read: {error.strerror}.", returncode=2
            ) from error
        except verdicts.NotVerdicts as error:
            raise CommandError(str(error), returncode=2) from error
        if json:
            write_json(report.to_json(), json, self.stdout)
        if json != "-":
            self.stdout.write(
                f"{report.new} new, {report.known} known already, "
                f"{len(report.otherwise)} said otherwise here, which stays."
            )
        if report.otherwise:
            sys.exit(1)
