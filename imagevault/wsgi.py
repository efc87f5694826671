"""The entrance for a web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imagevault.settings")
application = get_wsgi_application()

# After Django is set up, as it needs the models.
from gallery import catalogue, transfers  # noqa: E402

catalogue.warm_up()
transfers.tidy_up()
