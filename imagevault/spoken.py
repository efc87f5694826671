"""What programs wrote into rows, said in the reader's language.

Reasons and problems are written by code that knows no languages, in English, when
something happens, and read later by whoever opens the page. Each app lists its phrases,
with `{}` for what varies; what is in no list is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext

# Phrases may be strung together by these.
MARKS = ("; ", ", ")


def spoken(text: str) -> str:
    """Return a phrase, or several, as the reader of this page would say it."""
    said = one_phrase(text)
    if said is not None:
        return said
    for mark in MARKS:
        if mark in text:
            return mark.join(map(spoken, text.split(mark)))
    return text


def one_phrase(text: str) -> str | None:
    """Return the translation of a single phrase, None if it is in no list."""
    for pattern, phrase in patterns():
        match = pattern.fullmatch(text)
        if match:
            return gettext(phrase).format(*map(spoken, match.groups()))
    return None


@lru_cache(maxsize=1)
def patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return all phrases, each with what it matches; those that say most come first."""
    ordered = sorted(phrases(), key=lambda phrase: -len(phrase))
    return [
        (
            re.compile("(.+?)".join(map(re.escape, phrase.split("{}"))), re.DOTALL),
            phrase,
        )
        for phrase in ordered
    ]


def phrases() -> Iterator[str]:
    for path in settings.IMAGEVAULT_PHRASES:
        yield from import_string(path)
