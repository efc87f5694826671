from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DedupConfig(AppConfig):
    name = "dedup"
    verbose_name = _("Duplicates")

    def ready(self) -> None:
        from dedup import same
        from gallery import containment

        containment.same_pictures.append(same.pictures)
