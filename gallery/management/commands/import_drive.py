import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from gallery import junk, vault
from gallery.importer import Ending, ImportReport, Refused, import_drive
from gallery.ledger import KEPT_AT_WISH, LabelTaken
from gallery.management.progress import shown
from gallery.management.results import (
    add_output_options,
    bring_records_up,
    counted,
    duration,
    named,
    printable,
    require_writable,
    termination,
    write_result,
)
from gallery.models import Keep, Outcome, SourceFile


class Command(BaseCommand):
    help = (
        "Bring every photo under a mounted folder into the vault. The folder is only "
        "read. Safe to run again: what is known is skipped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=named, help="Folder, e.g. /media/grandma-usb")
        parser.add_argument("--label", help="What the family calls this drive")
        parser.add_argument(
            "--dry-run", action="store_true", help="Only say what would happen"
        )
        parser.add_argument(
            "--exclude",
            action="append",
            default=[],
            metavar="GLOB",
            help="Leave out what matches, by path or by name; may be given again",
        )
        parser.add_argument(
            "--keep",
            type=keeps,
            metavar="WHAT",
            help="Keep videos, documents (all other files) or both, as in "
            "--keep videos,documents, beside the photos; later imports of this drive do "
            "the same. --keep nothing takes that back for what comes.",
        )
        add_output_options(parser)

    def handle(
        self, *, path: Path, json: str | None, no_progress: bool, **options: Any
    ) -> None:
        require_writable(json)
        wanted = {
            name: options[name] for name in ("label", "dry_run", "exclude", "keep")
        }
        exclude = junk.exclusion(wanted["exclude"])
        showing = shown(path, quiet=no_progress, exclude=exclude)
        try:
            with termination(), showing as progress:
                report = import_drive(path, **wanted, progress=progress)
                if report.run_id and report.ending is Ending.FINISHED:
                    # Nothing new: the workers note at leisure when it was seen.
                    new = SourceFile.objects.filter(first_run=report.run_id).exists()
                    bring_records_up(ledgers=new)
        except (Refused, LabelTaken, vault.NoVault) as error:
            raise CommandError(str(error), returncode=2) from error
        write_result(
            report.to_json(),
            json,
            self.stdout,
            lambda: self.summarise(report, dry_run=wanted["dry_run"]),
        )
        if report.ending is Ending.STOPPED:
            raise CommandError(report.why, returncode=2)
        sys.exit(status(report))

    def summarise(self, report: ImportReport, *, dry_run: bool) -> None:
        say = self.stdout.write
        say(
            f"{printable(report.label)}: {counted(report.seen, 'entry', 'entries')} seen "
            f"in {duration(report.seconds)}."
        )
        if not report.seen and report.ending is Ending.FINISHED:
            say("There is nothing in this folder. Is the drive mounted?")
        width = len(f"{report.seen:,}")
        for outcome, count in report.outcomes.items():
            words = str(Outcome(outcome).label)
            if outcome == Outcome.IMPORTED:
                words = "would be imported" if dry_run else words
                words += f" ({filesizeformat(report.bytes_stored)})"
            say(f"  {count:{width},} {words}")
        self.warn(report)
        if report.unshown:
            photos = counted(report.unshown, "new photo", "new photos")
            say(f"{photos} stored that cannot be shown; each says why on its page.")
        for one in report.unreadable:
            say(f"Unreadable: {printable(one.path)}: {one.reason}")
        if report.ending is Ending.INTERRUPTED:
            say("Interrupted. Start it again to go on.")

    def warn(self, report: ImportReport) -> None:
        """Say loudly what the vault does not keep by choice."""
        outcomes = KEPT_AT_WISH.keys() & report.outcomes.keys()
        if not outcomes:
            return
        left = [one for one in KEPT_AT_WISH if one in outcomes]
        words = {Outcome.VIDEO: "video", Outcome.NOT_A_PHOTO: "other file"}
        what = " and ".join(
            f"{counted(report.outcomes[one], words[one], words[one] + 's')} "
            f"({filesizeformat(report.bytes_not_kept[one])})"
            for one in left
        )
        option = ",".join(KEPT_AT_WISH[one] for one in left)
        self.stdout.write(
            f"NOT KEPT: {what}: on this drive alone, as far as the vault knows. "
            f"With --keep {option} such files are kept, too."
        )


def keeps(text: str) -> list[Keep]:
    """What to keep, by its words. Raise ArgumentTypeError for any other word."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words == ["nothing"]:
        return []
    wrong = [word for word in words if word not in Keep.values]
    if wrong or not words:
        raise ArgumentTypeError(
            f"{text!r} is not videos, documents, both with a comma between, or nothing."
        )
    return [Keep(word) for word in words]


def status(report: ImportReport) -> int:
    if report.ending is Ending.INTERRUPTED:
        return 130
    return 1 if report.unreadable else 0
