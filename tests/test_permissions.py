"""Every address of the site, for everybody who may ask, as tests/permissions.txt has it.

An address that is not in the table fails, and the failure says which lines to add: what
the site answers now. Read them before you add them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from gallery import corrections, previews, spoken, stored
from gallery.models import Album, KeptFile, ShareLink
from imagevault.people import family
from imagevault.people.models import Invitation
from imagevault.people.roles import Role
from tests import pictures
from tests.dedup.rows import duplicate_set
from tests.gallery.rows import photo, sighting, write

TABLE = Path(__file__).with_name("permissions.txt")
METHODS = ("GET", "POST")
# Nobody has no account; a visitor has a share link and its password, and no account.
# No role: an account from which every role was taken.
WHO = ("nobody", "visitor", "no_role", *Role.values, "superuser")
GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
# Not in the list of addresses, and asked for all the same.
ALSO = ("static/probe.txt", "no-such-page/")
PASSWORD = "sandcastle"

pytestmark = pytest.mark.django_db


def addresses() -> list[str]:
    """Every address there is, with names for what differs: photo/<int:photo_id>/."""
    return sorted({*below(get_resolver()), *ALSO})


def below(resolver: URLResolver, start: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        text = GROUP.sub(r"<\1>", str(pattern.pattern)).strip("^$").replace("\\", "")
        if isinstance(pattern, URLResolver):
            yield from below(pattern, start + text)
        else:
            yield start + text


def area(address: str) -> str:
    """The first part of an address, in the admin site the first two."""
    parts = address.split("/")
    return "/".join(parts[: 2 if parts[0] == "admin" else 1])


AREAS = sorted({area(address) for address in addresses()})


def expected() -> dict[tuple[str, str], list[str]]:
    lines = (line.split() for line in TABLE.read_text().splitlines())
    return {
        (address.strip("/") and address, method): answers
        for address, method, *answers in (one for one in lines if one)
        if not address.startswith("#")
    }


class World:
    """One of everything, and a browser for each of WHO."""

    def __init__(self) -> None:
        write(Path(settings.STATIC_ROOT) / "probe.txt", b"")
        self.client = Client(raise_request_exception=False)
        self.people = {who: self.person(who) for who in WHO[2:]}
        self.rows()
        self.cookies = {who: self.logged_in(who) for who in WHO}

    def person(self, who: str) -> User:
        if who == "superuser":
            return User.objects.create_superuser(who)
        made = User.objects.create_user(who)
        if who == "no_role":
            made.groups.clear()
        else:
            giver, _ = User.objects.get_or_create(username="giver", is_superuser=True)
            family.give_role(made, Role(who), by=giver)
        return made

    def rows(self) -> None:
        self.photo, copy = photo(name="a.jpg"), photo(seed=2, name="b.jpg")
        jpeg = pictures.jpeg(pictures.scene(size=(160, 120)))
        write(previews.place(self.photo), jpeg)
        sighting(self.photo, path="a.jpg")
        digest = hashlib.sha256(b"Dear all").hexdigest()
        values = {"extension": "doc", "kind": "document", "size": 8}
        self.kept = KeptFile.objects.create(digest=digest, name="a.doc", **values)
        write(stored.original(self.kept).place, b"Dear all")
        self.set = duplicate_set([self.photo, copy])
        maker = self.people["contributor"]
        self.album = Album.objects.create(title="Mallorca", made_by=maker)
        self.album.add([self.photo.pk], by=maker)
        self.link = ShareLink(
            album=self.album,
            made_by=maker,
            offers_copies=True,
            offers_originals=True,
            offers_zip=True,
        )
        self.link.protect(PASSWORD)
        self.link.save()
        self.correction = corrections.correct(
            [self.photo.pk], spoken.read("1999"), text="1999", by=maker
        ).correction
        self.guest = User.objects.create_user("guest")
        self.invitation, self.invited = Invitation.make(
            name="Oma", role=Role.VIEWER, by=self.people["superuser"]
        )

    def logged_in(self, who: str) -> dict[str, str]:
        self.client.cookies = SimpleCookie()
        if who == "visitor":
            self.client.post(self.link.get_absolute_url(), {"password": PASSWORD})
        elif who in self.people:
            self.client.force_login(self.people[who])
        return {name: one.value for name, one in self.client.cookies.items()}

    def path(self, address: str) -> str:
        """The address with what it names filled in."""
        parts = address.split("/")
        values = {
            "photo_id": self.photo.pk,
            "kept_id": self.kept.pk,
            "album_id": self.album.pk,
            "link_id": self.link.pk,
            "correction_id": self.correction.pk,
            "row_id": self.correction.dates.get().pk,
            "user_id": self.guest.pk,
            "id": self.guest.pk,
            "set_id": self.set.pk,
            "source_id": self.photo.sightings.get().source_id,
            "invitation_id": self.invitation.pk,
            "name": "thumbnails",
            "uidb64": urlsafe_base64_encode(force_bytes(self.guest.pk)),
            "token": self.token(parts[0]),
            "object_id": self.row(parts),
            "app_label": "dedup",
            "url": "no-such-page",
        }
        return "/" + CONVERTER.sub(lambda one: str(values.get(one[1], 1)), address)

    def token(self, start: str) -> str:
        if start == "s":
            return self.link.token
        if start == "invitation":
            return self.invited
        return default_token_generator.make_token(self.guest)

    def row(self, parts: list[str]) -> object:
        """The key of some row of the model an admin page is about."""
        try:
            model = apps.get_model(parts[1], parts[2])
        except (LookupError, IndexError):
            return 1
        found = model._default_manager.order_by("pk").first()
        return found.pk if found else 1

    def answer(self, who: str, method: str, path: str) -> str:
        """What somebody gets: a status, or `login` where they are asked to log in."""
        self.client.cookies = SimpleCookie(self.cookies[who])
        with transaction.atomic():
            answer = self.client.generic(method, path)
            if answer.streaming:
                b"".join(answer.streaming_content)
            transaction.set_rollback(True)
        if answer.status_code == 302 and "login/?next=" in answer["Location"]:
            return "login"
        return str(answer.status_code)


@pytest.fixture
def world(vault):
    return World()


def line(address: str, method: str, answers: list[str]) -> str:
    cells = "".join(
        f"{one:<{len(who) + 2}}" for one, who in zip(answers, WHO, strict=False)
    )
    return f"{address or '/':<62} {method:<5} {cells}".rstrip()


@pytest.mark.parametrize("area_of", AREAS)
def test_promise_11_everybody_gets_what_the_table_says(world, area_of):
    table = expected()
    missing, wrong = [], []
    for address in addresses():
        if area(address) != area_of:
            continue
        path = world.path(address)
        for method in METHODS:
            got = [world.answer(who, method, path) for who in WHO]
            if (address, method) not in table:
                missing.append(line(address, method, got))
            elif table[address, method] != got:
                wrong.append(line(address, method, table[address, method]))
                wrong.append(line("...but is", "", got))
    head = line("", "", list(WHO))
    assert not missing, "\n".join(
        [f"Add these lines to {TABLE.name}, if that is what is meant:", head, *missing]
    )
    assert not wrong, "\n".join(["The table says otherwise:", head, *wrong])


def test_every_line_of_the_table_is_about_an_address():
    gone = {address for address, _ in expected()} - set(addresses())
    assert not gone, f"Take these out of {TABLE.name}: {sorted(gone)}"


def test_every_line_of_the_table_is_about_everybody():
    for (address, method), answers in expected().items():
        assert len(answers) == len(WHO), f"{address} {method}"


# What the table must never say


@pytest.mark.parametrize("who", ["nobody", "visitor"])
def test_promise_11_without_an_account_only_the_doors_open(who):
    doors = ("s/", "login/", "healthz", "static/", "language/", "invitation/")
    doors += ("password/new/", "admin/login/", "admin/jsi18n/", "manifest", "offline")
    for (address, _), answers in expected().items():
        if answers[WHO.index(who)].startswith("2"):
            assert address.startswith(doors), address


def test_promise_11_nobody_gets_more_with_a_lesser_role():
    """But for the contributor's own album, and the way out of the admin site."""
    order = ["no_role", *Role.values, "superuser"]
    for (address, method), answers in expected().items():
        if address == "admin/logout/":
            continue
        may = [not re.match("4|login", answers[WHO.index(who)]) for who in order]
        if address.startswith("albums/<int:album_id>/"):
            del may[order.index("contributor")]
        assert may == sorted(may), f"{method} {address}"
