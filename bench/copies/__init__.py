"""Copies of a photo as they come back from messengers, editors, scanners and phones.

`KINDS` names them. Each has the relations that would be a right answer, and draws its
strength anew for every copy: `kind.write(original, ...)` makes the file.
"""

from bench.copies.kinds import KINDS as KINDS
from bench.copies.kinds import Kind as Kind
from bench.copies.original import Original as Original
