"""What commands share: their options on output, and the result as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path

from django.core.management import CommandParser
from django.core.management.base import OutputWrapper


def add_output_options(parser: CommandParser) -> None:
    parser.add_argument(
        "--no-progress", action="store_true", help="Say nothing until the end"
    )
    parser.add_argument(
        "--json", metavar="FILE", help="Write the result as JSON; - for the output"
    )


def write_json(result: Mapping[str, object], target: str, out: OutputWrapper) -> None:
    """Write the result to the file, or with `-` to the command's output."""
    text = json.dumps(result, indent=2) + "\n"
    if target == "-":
        out.write(text)
    else:
        Path(target).write_text(text)
