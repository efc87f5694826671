"""imagevault's settings for the suite: tests never see the vault of whoever runs them.

The environment is laid out here and not in conftest.py, because Django's settings are
read before that.
"""

import os
import tempfile

scratch = tempfile.TemporaryDirectory(prefix="imagevault-tests-")
os.environ["IMAGEVAULT_DATA"] = scratch.name
os.environ["IMAGEVAULT_SECRET_KEY"] = "for-tests-only-and-long-enough-to-be-accepted"
os.environ["IMAGEVAULT_DEBUG"] = "no"
os.environ["IMAGEVAULT_TIME_ZONE"] = "Europe/Berlin"
os.environ["IMAGEVAULT_WORKERS"] = "2"
# The browser's driver runs an event loop in the thread that asks the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

from imagevault.settings import *  # noqa: E402, F403

STATIC_ROOT = scratch.name
# Passwords of tests are no secrets, and made by the hundred.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
