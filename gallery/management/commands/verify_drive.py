import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from gallery import vault
from gallery.certifying import Progress, Verdict, verify_drive
from gallery.importer import DriveGone, Refused
from gallery.ledger import LabelTaken
from gallery.management.bars import Tell, bar
from gallery.management.results import (
    add_output_options,
    duration,
    ending,
    named,
    printable,
    require_writable,
    write_json,
)
from gallery.models import State
from gallery.models.certificates import ACCEPTABLE
from gallery.originals import VaultFails

SHOWN = 200


class Command(BaseCommand):
    help = (
        "Read every byte of a drive again, and of what the vault has of it, and say "
        "whether the drive is safe to wipe. The drive is only read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=named, help="Folder, e.g. /media/grandma-usb")
        parser.add_argument("--label", help="What the family calls this drive")
        parser.add_argument(
            "--without",
            type=words,
            default=[],
            metavar="WHAT",
            help=(
                "What may be lost with the drive: videos, documents, trashed, or "
                "several of them separated by commas. The certificate says so."
            ),
        )
        add_output_options(parser)

    def handle(
        self, *, path: Path, json: str | None, no_progress: bool, **options: Any
    ) -> None:
        require_writable(json)
        wanted = {name: options[name] for name in ("label", "without")}
        stopping = ending(
            self,
            Refused,
            LabelTaken,
            vault.NoVault,
            VaultFails,
            DriveGone,
            interrupted=_("Interrupted. Nothing was certified."),
        )
        with stopping, bar(quiet=no_progress) as tell:
            verdict = verify_drive(path, **wanted, progress=told(tell))
        if json:
            write_json(verdict.to_json(), json, self.stdout)
        if json != "-":
            self.summarise(verdict)
        sys.exit(0 if verdict.certificate.is_safe else 1)

    def summarise(self, verdict: Verdict) -> None:
        one = verdict.certificate
        say = self.stdout.write
        say(f"{printable(one.source.label)} ({printable(one.mounted_at)})")
        width = len(f"{one.entries:,}")
        for state, counted in one.states.items():
            size = filesizeformat(counted["bytes"])
            say(f"  {counted['count']:{width},} {State(state).label} ({size})")
        say(
            _(
                "%(entries)s entries, %(size)s read, and %(originals)s originals of the "
                "vault, in %(time)s."
            )
            % {
                "entries": f"{one.entries:,}",
                "size": filesizeformat(one.bytes_read),
                "originals": f"{one.originals:,}",
                "time": duration(verdict.seconds),
            }
        )
        for problem in verdict.problems[:SHOWN]:
            self.explain(problem)
        if one.problem_count > SHOWN:
            more = one.problem_count - SHOWN
            say(_("... and %(count)s more; --json lists them.") % {"count": more})
        self.conclude(verdict)

    def explain(self, problem: dict[str, str]) -> None:
        said = State(problem["state"]).label
        reason = f" ({problem['reason']})" if problem["reason"] else ""
        self.stdout.write(f"{printable(problem['path'])}: {said}{printable(reason)}")

    def conclude(self, verdict: Verdict) -> None:
        one = verdict.certificate
        say = self.stdout.write
        for word in one.accepted:
            lost = one.states.get(ACCEPTABLE[word], {"count": 0})["count"]
            say(
                _("By your word %(count)s go with the drive: %(what)s.")
                % {"count": f"{lost:,}", "what": ACCEPTABLE[word].label}
            )
        if not one.is_whole:
            say(_("Only this folder was verified, not the rest of its drive."))
        say("SAFE TO WIPE" if one.is_safe else "NOT SAFE")


def told(tell: Tell) -> Any:
    def tell_words(at: Progress) -> None:
        what = _("entries of the drive") if at.phase == "drive" else _("originals")
        tell(f"{at.done:,} {what}", at.bytes_read, at.bytes)

    return tell_words


def words(text: str) -> list[str]:
    """What may be lost, word by word."""
    found = [word.strip() for word in text.split(",") if word.strip()]
    for word in found:
        if word not in ACCEPTABLE:
            known = ", ".join(ACCEPTABLE)
            raise ArgumentTypeError(f"{word!r} is none of {known}")
    return found
