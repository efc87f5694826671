from django.apps import AppConfig


class ImagevaultConfig(AppConfig):
    name = "imagevault"
