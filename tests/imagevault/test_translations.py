"""Every text has its German, and what is compiled is what was written."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
GERMAN = ROOT / "locale/de/LC_MESSAGES"
HOW = "Run `make messages` and translate what is new in locale/de/LC_MESSAGES/django.po"
CALLS = {
    "_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy",
    "pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy",
}  # fmt: skip


@dataclass
class Message:
    context: str | None = None
    one: str = ""
    many: str | None = None
    said: list[str] = field(default_factory=list)
    flags: str = ""

    @property
    def texts(self) -> list[str]:
        return [self.one] if self.many is None else [self.one, self.many]


def catalogue() -> list[Message]:
    """Return the messages of the German catalogue, without its head."""
    found = []
    for block in (GERMAN / "django.po").read_text().split("\n\n"):
        message, texts = Message(), {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                message.flags += line[2:] if line.startswith("#,") else ""
                continue
            if not line.startswith('"'):
                name, _, line = line.partition(" ")
                texts[name] = ""
            texts[name] += ast.literal_eval(line)
        message.context = texts.get("msgctxt")
        message.one = texts.get("msgid", "")
        message.many = texts.get("msgid_plural")
        message.said = [said for name, said in texts.items() if name[:6] == "msgstr"]
        if message.one:
            found.append(message)
    return found


MESSAGES = catalogue()


def test_every_message_has_a_translation():
    missing = [one.one for one in MESSAGES if not all(one.said)]
    assert missing == [], HOW
    assert len(MESSAGES) > 500


def test_no_translation_is_a_guess():
    assert [one.one for one in MESSAGES if "fuzzy" in one.flags] == [], HOW


def test_what_is_filled_in_is_the_same_in_both_languages():
    blanks = re.compile(r"%\(\w+\)(?:\.\d+)?[sdf]|%[sd]|\{\w*\}|</?\w+[^>]*>")
    for one in MESSAGES:
        wanted = set(blanks.findall(one.texts[-1]))
        for said in one.said:
            assert set(blanks.findall(said)) <= wanted | set(blanks.findall(one.one)), (
                said
            )
        assert set(blanks.findall(one.said[-1])) == wanted, one.said[-1]


def test_what_is_compiled_is_what_was_written():
    with (GERMAN / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    known = {key: said for key, said in compiled._catalog.items() if key}
    written = {}
    for one in MESSAGES:
        name = one.one if one.context is None else f"{one.context}\x04{one.one}"
        if one.many is None:
            written[name] = one.said[0]
        else:
            written |= {(name, at): said for at, said in enumerate(one.said)}
    assert known == written, "Run `make messages`"


def test_every_text_of_the_templates_is_in_the_catalogue():
    known = {text for one in MESSAGES for text in one.texts}
    missing = {
        text
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for text in of_template(path)
    } - known
    assert missing == set(), HOW


def of_template(path: Path) -> Iterator[str]:
    calls = re.compile(
        r"""\b(?:n?p?gettext|_)\(((?:u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"),?\s*)+)"""
    )
    texts = re.compile(r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
    for call in calls.findall(templatize(path.read_text())):
        yield from map(ast.literal_eval, texts.findall(call))


@pytest.mark.parametrize("app", ["gallery", "dedup", "imagevault"])
def test_every_text_of_the_code_is_in_the_catalogue(app):
    known = {text for one in MESSAGES for text in [*one.texts, one.context]}
    missing = {
        text
        for path in sorted((ROOT / app).rglob("*.py"))
        for text in of_code(ast.parse(path.read_text()))
    } - known
    assert missing == set(), HOW


def of_code(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node.func) in CALLS:
            for given in node.args:
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    yield given.value


def called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return getattr(function, "id", "")
