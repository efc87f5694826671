from django.apps import AppConfig


class ImagevaultConfig(AppConfig):
    name = "imagevault"

    def ready(self) -> None:
        from imagevault import checks  # noqa: F401
