import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, call_command
from django.db import OperationalError, connection

from gallery import vault
from gallery.schedule import keep_schedule
from imagevault import secret


class Command(BaseCommand):
    help = (
        "Make the vault, its database and the first administrator, or bring them up "
        "to date. Safe to run again."
    )
    # The checks look for the vault that this makes.
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        folder = settings.IMAGEVAULT_DATA
        try:
            if vault.found(folder):
                self.stdout.write(f"A new vault was made in {folder}.")
            vault.require(folder)
        except vault.NoVault as error:
            raise CommandError(str(error), returncode=2) from error
        secret.key(folder)
        self.reach_database()
        call_command("migrate", verbosity=0, interactive=False)
        keep_schedule()
        self.make_first_administrator()

    def reach_database(self) -> None:
        """Say in a sentence that no database answers; the migrations say it in sixty."""
        try:
            connection.ensure_connection()
        except OperationalError as error:
            where = "IMAGEVAULT_DATABASE_URL"
            if connection.vendor == "sqlite":
                where = "the vault"
            reason = f"The database named by {where} cannot be used: {error}"
            raise CommandError(reason, returncode=2) from error

    def make_first_administrator(self) -> None:
        """Make an administrator where there is none, and say the password once."""
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        name = settings.IMAGEVAULT_ADMIN_USER
        password = settings.IMAGEVAULT_ADMIN_PASSWORD or secrets.token_urlsafe(12)
        users.create_superuser(name, password=password)
        if settings.IMAGEVAULT_ADMIN_PASSWORD:
            self.stdout.write(f"The first administrator is {name}.")
            return
        self.stdout.write(
            "\nThe first administrator. The password is shown this once: write it down "
            "or change it after logging in.\n"
            f"    name:      {name}\n"
            f"    password:  {password}\n"
        )
