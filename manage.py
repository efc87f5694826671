#!/usr/bin/env python3
"""The command line of imagevault: see `manage.py help`."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imagevault.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(
            "Django is not installed here. Run `make setup` first and use "
            "`.venv/bin/python manage.py`."
        ) from error
    from imagevault.environment import BadSetting

    try:
        import imagevault.settings  # noqa: F401
    except BadSetting as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(2)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
