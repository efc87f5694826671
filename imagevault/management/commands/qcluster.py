from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gallery import vault
from imagevault.watchdog import Watchdog


class Command(BaseCommand):
    help = "Do the background work for as long as it runs: thumbnails, fingerprints, duplicates."

    def handle(self, **options: object) -> None:
        try:
            vault.require(settings.IMAGEVAULT_DATA)
        except vault.NoVault as reason:
            raise CommandError(str(reason), returncode=2) from reason
        Watchdog(stop_seconds=settings.STOP_SECONDS).run()
