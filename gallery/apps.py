from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class GalleryConfig(AppConfig):
    name = "gallery"
    verbose_name = _("Gallery")

    def ready(self) -> None:
        from gallery import changes, checks  # noqa: F401

        # After every migration: SQLite loses a table's triggers when it is altered.
        post_migrate.connect(changes.watch, sender=self)
