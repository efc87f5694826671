from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gallery import vault
from imagevault import assets, supervisor


class Command(BaseCommand):
    help = "Run the site and its background work until Ctrl-C."

    def handle(self, **options: object) -> None:
        try:
            vault.require(settings.IMAGEVAULT_DATA)
            with (
                supervisor.lock(settings.IMAGEVAULT_DATA),
                supervisor.listen(settings.IMAGEVAULT_BIND) as listener,
            ):
                assets.collect()
                self.serve(
                    supervisor.web_server(listener),
                    supervisor.background_work(settings.BASE_DIR / "manage.py"),
                )
        except (vault.NoVault, supervisor.CannotStart) as reason:
            raise CommandError(str(reason), returncode=2) from reason

    def serve(self, *programs: supervisor.Program) -> None:
        address = settings.IMAGEVAULT_BIND
        page = supervisor.page(address)
        supervisor.Supervisor(
            programs,
            say=self.say,
            # Longer than the background work takes at most.
            stop_seconds=settings.STOP_SECONDS + 3,
        ).run(
            is_ready=lambda: supervisor.answers(address),
            welcome=f"imagevault is at {page} - press Ctrl-C to stop.",
        )
        self.say("imagevault has stopped.")

    def say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
