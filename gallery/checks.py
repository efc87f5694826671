"""What `manage.py check` says about the vault on disk."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from gallery import vault


@register(Tags.files)
def vault_is_there(**_: Any) -> list[CheckMessage]:
    """Look for the marker: without it, the disk may just not be mounted."""
    folder = settings.IMAGEVAULT_DATA
    if (folder / vault.MARKER).is_file():
        return []
    if any((folder / "originals").glob("*/*/*")):
        return [
            Error(
                f"{folder} holds originals but no {vault.MARKER}.",
                hint=f"Bring {vault.MARKER} back from a backup of the vault.",
                id="gallery.E001",
            )
        ]
    # A machine on which nothing has been set up yet must get through its set-up.
    return [
        Warning(
            f"There is no vault at {folder}.",
            hint="Is the disk that holds it mounted? `make setup` makes a new vault; "
            "IMAGEVAULT_DATA says where.",
            id="gallery.W001",
        )
    ]


@register(Tags.files)
def vault_can_be_written(**_: Any) -> list[CheckMessage]:
    folder = settings.IMAGEVAULT_DATA
    if not (folder / vault.MARKER).is_file():
        return []
    places = [folder, *(folder / name for name in vault.FOLDERS)]
    return [
        Error(
            f"{place} cannot be written.",
            hint="Give the user that runs imagevault the right to write there, or "
            "mount the disk writable.",
            id="gallery.E002",
        )
        for place in places
        if place.exists() and not os.access(place, os.W_OK)
    ]
