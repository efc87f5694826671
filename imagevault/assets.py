"""Collecting the static files, when what is collected is not what they are now."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

STAMP = ".collected"


def collect() -> bool:
    """Collect the static files unless nothing has changed; say whether it was done."""
    stamp = Path(settings.STATIC_ROOT) / STAMP
    present = fingerprint()
    if stamp.is_file() and stamp.read_text() == present:
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(present)
    return True


def fingerprint() -> str:
    """Return what changes when any static file does: names, sizes and times."""
    facts = []
    for finder in get_finders():
        for name, storage in finder.list([]):
            file = Path(storage.path(name)).stat()
            facts.append(f"{storage.location}/{name} {file.st_size} {file.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()
