import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from dedup import verdicts


class Command(BaseCommand):
    help = "Write what people said of pairs of photos to a file, for another vault."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="A file to write; - for standard output")

    def handle(self, *, file: str, **options: Any) -> None:
        if file == "-":
            sys.stdout.writelines(verdicts.exported())
            return
        try:
            with Path(file).open("w", encoding="utf-8") as stream:
                stream.writelines(verdicts.exported())
        except OSError as error:
            raise CommandError(
                f"{file} cannot be written: {error.strerror}.", returncode=2
            ) from error
