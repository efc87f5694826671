import sys
from argparse import ArgumentTypeError
from typing import Any

from django.core.management import BaseCommand, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery import care, vault
from gallery.management.bars import bar
from gallery.management.results import (
    add_output_options,
    duration,
    ending,
    printable,
    require_writable,
    write_result,
)
from gallery.models import Damage

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Read every original of the vault again and compare it with its digest. "
        "Broken off, it goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--share",
            type=share,
            default=1,
            metavar="1/N",
            help="Only the next N-th part; the run after that takes the part after it",
        )
        add_output_options(parser)

    def handle(
        self, *, share: int, json: str | None, no_progress: bool, **options: Any
    ) -> None:
        require_writable(json)
        stopping = ending(
            self,
            vault.NoVault,
            care.AlreadyRunning,
            interrupted=_("Interrupted. Start it again to go on."),
        )
        with stopping, bar(quiet=no_progress) as tell:
            report = care.verify_vault(
                share=share,
                progress=lambda at: tell(
                    f"{at.checked:,} of {at.originals:,} originals",
                    at.bytes_read,
                    at.bytes,
                ),
            )
        write_result(
            report.to_json(), json, self.stdout, lambda: self.summarise(report)
        )
        sys.exit(1 if report.wrong else 0)

    def summarise(self, report: care.CareReport) -> None:
        one = report.verification
        say = self.stdout.write
        say(
            ngettext(
                "%(count)s original read again (%(size)s) in %(time)s.",
                "%(count)s originals read again (%(size)s) in %(time)s.",
                one.checked,
            )
            % {
                "count": f"{one.checked:,}",
                "size": filesizeformat(one.bytes_read),
                "time": duration(report.seconds),
            }
        )
        for wrong in report.wrong:
            self.explain(wrong)
        if not report.wrong:
            say(_("Every byte is as it was stored."))
        for path in report.unknown[:SHOWN]:
            say(_("Not in the catalogue: %(path)s") % {"path": printable(path)})
        if report.unknown:
            say(_("They are no damage; the next import of their drive takes them in."))

    def explain(self, wrong: dict[str, Any]) -> None:
        problem = wrong["reason"] or Damage.Kind(wrong["problem"]).label
        self.stdout.write(f"{printable(wrong['name'])} ({wrong['file']}): {problem}")
        for advice in wrong["advice"][:3]:
            self.stdout.write(f"    {printable(advice)}")
        if not wrong["advice"]:
            self.stdout.write(
                "    " + _("no drive is known that had it; look into your backups")
            )


def share(text: str) -> int:
    """The N of 1/N."""
    one, _slash, parts = text.partition("/")
    if one != "1" or not parts.isascii() or not parts.isdigit() or not int(parts):
        raise ArgumentTypeError(f"{text!r} is no share such as 1/30")
    return int(parts)
