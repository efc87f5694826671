from django.apps import AppConfig
from django.db.models.signals import post_migrate, post_save
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    """Who may do what; the last of the apps, since roles name permissions of the others."""

    name = "imagevault.people"
    label = "people"
    verbose_name = _("People")

    def ready(self) -> None:
        from django.contrib.auth import get_user_model

        from imagevault.people import roles

        post_migrate.connect(roles.settle, sender=self)
        post_save.connect(roles.begin_as_viewer, sender=get_user_model())
