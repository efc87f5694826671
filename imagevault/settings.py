"""All settings of imagevault; what a family may change comes from the environment.

docs/settings.md lists the variables.
"""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy

from imagevault import environment, secret

BASE_DIR = Path(__file__).resolve().parent.parent
environment.read_env_file(BASE_DIR / ".env")

# The vault

IMAGEVAULT_DATA = environment.folder("IMAGEVAULT_DATA", BASE_DIR / "data")
IMAGEVAULT_WORKERS = environment.whole_number(
    "IMAGEVAULT_WORKERS", os.cpu_count() or 2, least=1
)
IMAGEVAULT_BIND = environment.address("IMAGEVAULT_BIND", "127.0.0.1:8000")
IMAGEVAULT_ADMIN_USER = environment.text("IMAGEVAULT_ADMIN_USER", "admin")
IMAGEVAULT_ADMIN_PASSWORD = environment.text("IMAGEVAULT_ADMIN_PASSWORD")

# What a picture may cost to decode: seconds and megabytes of the sandbox.
IMAGEVAULT_DECODE_SECONDS = 60
IMAGEVAULT_DECODE_MEMORY_MB = 1_000

TRASH_DAYS = 30
# Whether what was discarded longer ago is purged each night, its keeper read again first.
IMAGEVAULT_EMPTY_TRASH = environment.flag("IMAGEVAULT_EMPTY_TRASH", default=True)
# Which share of the originals is read again each night: one of so many, 0 for none.
IMAGEVAULT_VERIFY_SHARE = environment.share("IMAGEVAULT_VERIFY_SHARE", 30)

# Django

SECRET_KEY = environment.text("IMAGEVAULT_SECRET_KEY") or secret.key(IMAGEVAULT_DATA)
DEBUG = environment.flag("IMAGEVAULT_DEBUG", default=False)
BIND_HOST = IMAGEVAULT_BIND.rpartition(":")[0].strip("[]")
ALLOWED_HOSTS = environment.names(
    "IMAGEVAULT_ALLOWED_HOSTS", sorted({"localhost", "127.0.0.1", "[::1]", BIND_HOST})
)
CSRF_TRUSTED_ORIGINS = environment.origins("IMAGEVAULT_CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    # First, so that its `qcluster` stands before django-q2's.
    "imagevault",
    "dedup",
    "gallery",
    "whitenoise.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "django_q",
    "tailwind",
    "imagevault.theme",
    # Last: its roles name the permissions of all others.
    "imagevault.people",
]
TAILWIND_APP_NAME = "imagevault.theme"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Every page needs a login unless its view says otherwise.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "imagevault.people.middleware.RoleRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "gallery.middleware.ReadingMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "imagevault.urls"
WSGI_APPLICATION = "imagevault.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The database: SQLite in the vault, or PostgreSQL

SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": IMAGEVAULT_DATA / "db.sqlite3",
    "OPTIONS": {
        # Many processes write: take the write lock at once and wait for it, since
        # a lock taken half-way through a transaction cannot be waited for.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
            "PRAGMA temp_store=MEMORY;PRAGMA journal_size_limit=67108864;"
        ),
    },
}
POSTGRES = environment.postgres("IMAGEVAULT_DATABASE_URL")
DATABASES = {
    "default": {
        **(POSTGRES or SQLITE),
        # django-q2 would otherwise connect anew for every task.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A file, because the status page reads what the workers write.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": IMAGEVAULT_DATA / "cache",
    }
}

# Background work

# A task takes up no new photo after so long, and is ended when it takes longer than
# that and the slowest photo together: a hostile one has two goes at the decoder.
BATCH_SECONDS = 50
TASK_SECONDS = BATCH_SECONDS + 2 * IMAGEVAULT_DECODE_SECONDS + 10
# A claim outlasts the wait in a full queue; what was lost with its claim is taken up
# again after this long at most.
CLAIM_SECONDS = 3 * TASK_SECONDS
# An idle worker that leaves a waiting task alone for this long is stuck.
QUIET_SECONDS = 20
# Asked to stop, tasks end with the photo they are at; after so long they are ended.
STOP_SECONDS = 10
BROKER_URL = environment.redis("IMAGEVAULT_BROKER_URL")
Q_CLUSTER: dict[str, Any] = {
    "name": "imagevault",
    "label": gettext_lazy("Background work"),
    "orm": "default",
    "broker_class": "imagevault.queue.RedisQueue"
    if BROKER_URL
    else "imagevault.queue.DatabaseQueue",
    **({"redis": BROKER_URL} if BROKER_URL else {}),
    "workers": IMAGEVAULT_WORKERS,
    # A task's time to finish runs from the moment it is fetched, not started: fetch
    # no more than can start.
    "queue_limit": IMAGEVAULT_WORKERS,
    "bulk": 1,
    "timeout": TASK_SECONDS,
    "retry": 3 * TASK_SECONDS + 60,
    "max_attempts": 3,
    "ack_failures": False,
    "recycle": 500,
    "max_rss": 1_500_000,  # kB
    "save_limit": 100,
    "catch_up": False,
    "poll": 0.5,
    "log_level": "INFO",
}
# Asked for work when the queue runs dry; each queues what is outstanding.
IMAGEVAULT_FEEDERS = [
    "gallery.tasks.feed_tidying",
    "gallery.tasks.feed",
    "dedup.tasks.feed",
]
# What programs wrote into rows, in English, and pages say in the reader's language.
IMAGEVAULT_PHRASES = ["gallery.phrases.PHRASES", "dedup.phrases.PHRASES"]
# Shown on the work page, in this order; each an imagevault.work.Stage.
IMAGEVAULT_STAGES = [
    "gallery.tasks.THUMBNAILS",
    "dedup.tasks.FINGERPRINTS",
    "dedup.tasks.COMPARISONS",
]

# People

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# A link to a new password is passed on by hand, at times to the next visit.
PASSWORD_RESET_TIMEOUT = 3 * 24 * 60 * 60
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "gallery:browse"
LOGOUT_REDIRECT_URL = "login"

# Browsers: everything comes from this site, nothing is inline, nothing is framed

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 90
# A household reaches the site by plain http; behind https both are worth setting.
SESSION_COOKIE_SAMESITE = "Lax"

# Language and time

LANGUAGE_CODE = "en"
# Each in its own words, for who does not read the present one.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["imagevault.formats"]
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_TZ = True
TIME_ZONE = environment.time_zone("IMAGEVAULT_TIME_ZONE")

# Static files

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Originals and renditions are never served as media files: their view asks who asks.
MEDIA_ROOT = IMAGEVAULT_DATA / "incoming"
MEDIA_URL = "/media-is-not-served/"
FILE_UPLOAD_TEMP_DIR = None
DATA_UPLOAD_MAX_NUMBER_FILES = 1_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "imagevault": {"level": "INFO"},
        "gallery": {"level": "INFO"},
        "dedup": {"level": "INFO"},
        "django": {"level": "INFO"},
        # Named here, or django-q2 hangs a handler of its own on it.
        "django-q": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
    },
}
