"""The secret key of a vault: made once, kept in the vault, readable by its owner."""

import os
import pwd
import secrets
from pathlib import Path

from imagevault.environment import BadSetting

FILE_NAME = "secret_key"
BYTES = 48


def key(vault: Path) -> str:
    """Return the vault's key, making it where the vault has none yet.

    A folder without a vault gets none: the key returned then lives as long as the
    process, which is enough to set the vault up. Raise BadSetting for a vault that
    another account owns.
    """
    path = vault / FILE_NAME
    try:
        if not (vault / "vault.json").is_file():
            return secrets.token_urlsafe(BYTES)
        if not path.exists():
            make(path)
        return path.read_text().strip()
    except PermissionError as error:
        owner = account(vault.stat().st_uid)
        raise BadSetting(
            f"IMAGEVAULT_DATA: the vault {vault} belongs to the account {owner}, and "
            f"this is {account(os.geteuid())}. Run this as {owner}, for example with "
            f"`sudo -u {owner}`."
        ) from error


def account(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"number {number}"


def make(path: Path) -> None:
    """Write a new key, unless another process has been faster."""
    draft = path.with_name(f"{FILE_NAME}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(BYTES))
        file.flush()
        os.fsync(descriptor)
    try:
        # A link, unlike a rename, never replaces what is there.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
