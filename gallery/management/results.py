"""What commands share: their options on output, how they end, and how they say things."""

import json
import logging
import os
import signal
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.core.management import BaseCommand, CommandError, CommandParser
from django.core.management.base import OutputWrapper

from gallery import records

logger = logging.getLogger(__name__)


def add_output_options(parser: CommandParser) -> None:
    parser.add_argument(
        "--no-progress", action="store_true", help="Say nothing until the end"
    )
    parser.add_argument(
        "--json", metavar="FILE", help="Write the result as JSON; - for the output"
    )


def named(path: str) -> Path:
    """A path that was given; an empty one would mean the folder one happens to be in."""
    if not path.strip():
        raise ArgumentTypeError("no folder is named")
    return Path(path)


def require_writable(target: str | None) -> None:
    """Refuse a file for the result that cannot be written: now, not after the work."""
    if target and target != "-" and not can_be_written(Path(target)):
        raise CommandError(f"{target} cannot be written.", returncode=2)


def write_json(result: Mapping[str, object], target: str, out: OutputWrapper) -> None:
    """Write the result to the file, or with `-` to the command's output."""
    text = json.dumps(result, indent=2) + "\n"
    if target == "-":
        out.write(text)
    else:
        Path(target).write_text(text)


def write_result(
    result: Mapping[str, object],
    target: str | None,
    out: OutputWrapper,
    summarise: Callable[[], None],
) -> None:
    """Say how it ended: as JSON where that was asked for, and in words beside a file."""
    if target:
        write_json(result, target, out)
    if target != "-":
        summarise()


@contextmanager
def termination() -> Iterator[None]:
    """Let a request to terminate end the work as cleanly as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def ending(
    command: BaseCommand, *refusals: type[Exception], interrupted: str
) -> Iterator[None]:
    """End a command with 2 where its work is refused, with 130 where it is stopped."""
    try:
        with termination():
            yield
    except refusals as error:
        raise CommandError(str(error), returncode=2) from error
    except KeyboardInterrupt:
        command.stderr.write(interrupted)
        sys.exit(130)


def can_be_written(path: Path) -> bool:
    place = path if path.exists() else path.absolute().parent
    return os.access(place, os.W_OK) and place.is_dir() != path.exists()


def printable(text: str) -> str:
    """A name as one line, whatever characters it holds."""
    return "".join(
        character if character.isprintable() else repr(character)[1:-1]
        for character in text
    )


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def bring_records_up(*, ledgers: bool = True) -> None:
    """Have the vault's plain files say what the catalogue says by now.

    What cannot be written now the workers write, or the next command.
    """
    try:
        records.bring_up(ledgers=ledgers)
    except (records.Busy, KeyboardInterrupt):
        pass
    except OSError:
        logger.exception("the vault's plain records are behind")
