import hashlib
import io
import re
import zipfile
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone
from PIL import Image

from gallery import previews, renditions
from gallery.models import Album, Photo, ShareLink
from imagevault.people import family
from imagevault.people.roles import Role
from tests import pictures
from tests.gallery.rows import bare_photo, photo, sighting, write

pytestmark = pytest.mark.django_db

PASSWORD = "sandcastle"


@pytest.fixture
def otto():
    made = User.objects.create_user("otto", first_name="Otto")
    family.give_role(made, Role.CONTRIBUTOR, by=User(is_superuser=True))
    return User.objects.get(pk=made.pk)


@pytest.fixture
def inside(vault):
    """A photo of the album, whose preview is made already."""
    row = photo(
        name="beach.jpg", latitude=39.57, longitude=2.65, camera_model="Canon EOS 20D"
    )
    write(previews.place(row), pictures.jpeg(pictures.scene(size=(160, 120))))
    sighting(row, path="Secret folder/beach.jpg", drive="Blue drive")
    return row


@pytest.fixture
def outside(vault):
    row = photo(seed=2, name="not shared.jpg")
    write(previews.place(row), pictures.jpeg(pictures.scene(seed=2, size=(160, 120))))
    return row


@pytest.fixture
def album(otto, inside):
    made = Album.objects.create(
        title="Mallorca", made_by=otto, description="Sun and sea"
    )
    made.add([inside.pk], by=otto)
    return made


def share(album, password: str = "", **values) -> ShareLink:
    link = ShareLink(album=album, made_by=album.made_by, **values)
    link.protect(password)
    link.save()
    return ShareLink.objects.get(pk=link.pk)


@pytest.fixture
def link(album):
    return share(album, offers_copies=True, offers_originals=True)


class Visitor(Client):
    """Somebody without an account, who reads all that is sent."""

    def request(self, **request):
        answer = super().request(**request)
        if answer.streaming:
            b"".join(answer.streaming_content)
        return answer


@pytest.fixture
def visitor():
    return Visitor()


def every_address(link, row) -> list[str]:
    root = link.get_absolute_url()
    names = (
        "",
        "about/",
        "around/",
        "thumbnail.jpg",
        "small.webp",
        "preview.jpg",
        "copy.jpg",
        "original",
    )
    return [root, *(f"{root}photo/{row.pk}/{name}" for name in names)]


# What it shows


def test_visitor_sees_the_album_and_its_photos(visitor, link, inside):
    page = visitor.get(link.get_absolute_url())
    text = page.content.decode()
    assert page.status_code == 200
    assert "Mallorca" in text and "Sun and sea" in text and "Otto shows you" in text
    assert f"{link.get_absolute_url()}photo/{inside.pk}/" in text
    for address in every_address(link, inside):
        assert visitor.get(address).status_code == 200, address


def test_pages_of_a_link_lead_nowhere_else(visitor, link, inside):
    root = link.get_absolute_url()
    allowed = (root, "/static/", "data:", "#", "/language/")
    for address in (root, f"{root}photo/{inside.pk}/"):
        page = visitor.get(address).content.decode()
        found = re.findall(r'(?:href|src|action|hx-get)="([^"]+)"', page)
        found += [part.split()[0] for part in re.findall(r'srcset="([^"]+)', page)]
        assert found
        for target in found:
            assert target.startswith((*allowed, "?")), target


def test_page_says_nothing_of_drives_folders_or_the_place(visitor, link, inside):
    for address in every_address(link, inside)[:2]:
        page = visitor.get(address).content.decode()
        for secret in ("Secret", "Blue drive", "39.57", "2.65", "Place"):
            assert secret not in page


def test_place_is_shown_where_it_was_ticked(visitor, album, inside):
    link = share(album, shows_place=True)
    page = visitor.get(f"{link.get_absolute_url()}photo/{inside.pk}/").content.decode()
    assert "39.57" in page


def test_renditions_carry_no_camera_data(tmp_path):
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (39.0, 34.0, 0.0), 3: "E", 4: (2.0, 39.0, 0.0)}
    exif[0x010F] = "Canon"
    path = tmp_path / "a.jpg"
    pictures.scene(size=(800, 600)).save(path, exif=exif)
    with Image.open(path) as image:
        assert dict(image.getexif())
    small_of = tmp_path / "thumbnail.jpg"
    small_of.write_bytes(renditions.thumbnail(path).data)
    for made in (
        renditions.thumbnail(path),
        renditions.preview(path),
        renditions.small(small_of),
    ):
        with Image.open(io.BytesIO(made.data)) as image:
            assert not dict(image.getexif()) and "xmp" not in image.info


def test_downloads_are_offered_only_where_ticked(visitor, album, inside):
    link = share(album)
    root = f"{link.get_absolute_url()}photo/{inside.pk}/"
    page = visitor.get(root).content.decode()
    assert f"{root}copy.jpg" not in page
    assert f"{root}original" not in page
    assert visitor.get(f"{root}copy.jpg").status_code == 404
    assert visitor.get(f"{root}original").status_code == 404
    link = share(album, offers_copies=True)
    root = f"{link.get_absolute_url()}photo/{inside.pk}/"
    assert f"{root}copy.jpg" in visitor.get(root).content.decode()
    copy = visitor.get(f"{root}copy.jpg")
    assert copy["Content-Disposition"] == 'attachment; filename="beach.jpg"'
    assert visitor.get(f"{root}original").status_code == 404


def test_large_view_shows_a_guest_what_the_link_offers(visitor, album, inside):
    def told(**offers):
        root = share(album, **offers).get_absolute_url()
        around = visitor.get(f"{root}photo/{inside.pk}/around/").json()
        assert (around["count"], around["first"]) == (1, 0)
        (slide,) = around["slides"]
        for name in ("address", "thumbnail", "preview", "original", "download"):
            assert slide[name] == "" or slide[name].startswith(f"{root}photo/")
        return slide

    Photo.objects.update(width=4000, height=3000)
    to_look = told()
    assert to_look["original"] == to_look["download"] == ""
    assert (to_look["width"], to_look["height"]) == (2048, 1536)
    assert told(offers_copies=True)["download"].endswith("/copy.jpg")
    whole = told(offers_copies=True, offers_originals=True)
    assert whole["download"].endswith("/original") and whole["original"]
    assert (whole["width"], whole["height"]) == (4000, 3000)


def test_zip_of_all_originals_is_given_only_where_ticked(visitor, album, inside):
    for offers in ({"offers_originals": True}, {"offers_zip": True}):
        link = share(album, **offers)
        assert visitor.get(f"{link.get_absolute_url()}all.zip").status_code == 404
        assert "all.zip" not in visitor.get(link.get_absolute_url()).content.decode()
    link = share(album, offers_originals=True, offers_zip=True)
    assert "all.zip" in visitor.get(link.get_absolute_url()).content.decode()
    answer = Client().get(f"{link.get_absolute_url()}all.zip")
    content = b"".join(answer.streaming_content)
    assert 'filename="Mallorca.zip"' in answer["Content-Disposition"]
    assert int(answer["Content-Length"]) == len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.namelist() == ["beach.jpg"]
        assert hashlib.sha256(packed.read("beach.jpg")).hexdigest() == inside.digest


def test_guest_is_told_when_a_date_is_only_that_of_a_file(visitor, link, inside):
    root = f"{link.get_absolute_url()}photo/{inside.pk}/"
    inside.update_facts(taken_at=datetime(2004, 7, 1), taken_precision="second")
    for origin, is_told in (("modification_time", True), ("exif_original", False)):
        inside.update_facts(taken_from=origin)
        for address in (root, f"{root}about/"):
            page = visitor.get(address).content.decode()
            assert ("last change of the file" in page) is is_told, (origin, address)


# What it does not


def test_promise_11_link_opens_no_other_photo(visitor, link, outside):
    for address in every_address(link, outside)[1:]:
        assert visitor.get(address).status_code == 404, address


def test_promise_11_photo_taken_out_is_gone(visitor, album, link, inside):
    album.take_out([inside.pk])
    for address in every_address(link, inside)[1:]:
        assert visitor.get(address).status_code == 404, address
    assert "no photos in here yet" in (
        visitor.get(link.get_absolute_url()).content.decode()
    )


def test_promise_11_trashed_photo_is_gone_and_its_keeper_shown(
    visitor, link, inside, outside
):
    inside.move_to_trash(by=None, in_favour_of=outside)
    for address in every_address(link, inside)[1:]:
        assert visitor.get(address).status_code == 404, address
    assert visitor.get(every_address(link, outside)[1]).status_code == 200


def ended(how):
    return pytest.param(how, id=how.__name__)


def revoked(link):
    link.revoke()


def expired(link):
    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def maker_gone(link):
    User.objects.filter(pk=link.made_by_id).update(is_active=False)


def maker_may_not_share(link):
    family.give_role(link.made_by, Role.VIEWER, by=User(is_superuser=True))


@pytest.mark.parametrize(
    "end", [ended(how) for how in (revoked, expired, maker_gone, maker_may_not_share)]
)
def test_promise_11_link_that_ended_shows_nothing(visitor, link, inside, end):
    end(link)
    for address in every_address(link, inside):
        answer = visitor.get(address)
        assert answer.status_code == 410, address
        assert "Ask whoever sent it" in answer.content.decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: "2" + token[1:],
        lambda token: token.upper(),
        lambda token: token.partition("-")[0] + "-",
        lambda token: "zzzzzzzzzzzz-" + "a" * 24,
        lambda token: "zzzzzzzzzzzzzz-" + "a" * 24,
        lambda token: f"{token}%0a",
        lambda token: "x",
    ],
)
def test_promise_11_token_made_up_is_unknown(visitor, album, link, inside, change):
    share(album)
    for address in every_address(link, inside):
        forged = address.replace(link.token, change(link.token))
        assert visitor.get(forged).status_code == 404


def test_promise_11_token_of_one_link_opens_no_other(visitor, album, otto, outside):
    first = share(album)
    other = Album.objects.create(title="Other", made_by=otto)
    other.add([outside.pk], by=otto)
    second = share(other)
    _, mac = second.token.split("-", 1)
    mixed = f"{first.token.split('-')[0]}-{mac}"
    assert visitor.get(f"/s/{mixed}/").status_code == 404
    for address in every_address(first, outside)[1:]:
        assert visitor.get(address).status_code == 404


def test_token_is_not_in_the_database(link):
    row = str(ShareLink.objects.values().get(pk=link.pk))
    assert link.token not in row and link.token.split("-", 1)[1] not in row


def gallery_addresses(row, album) -> list[str]:
    _, resolver = get_resolver().namespace_dict["gallery"]
    for found in resolver.url_patterns:
        path = str(found.pattern)
        if path.startswith("s/"):
            continue
        path = re.sub(r"<int:photo_id>", str(row.pk), path)
        path = re.sub(r"<int:album_id>", str(album.pk), path)
        yield "/" + re.sub(r"<\w+:\w+>", "1", path)


def test_promise_11_visitor_of_a_link_gets_nothing_else(visitor, link, album, inside):
    """Also not what the link shows, at the family's own addresses."""
    visitor.get(link.get_absolute_url())
    others = ("/family/", reverse("work"), "/admin/")
    for address in (*gallery_addresses(inside, album), *others):
        for method in ("get", "post"):
            answer = getattr(visitor, method)(address)
            assert answer.status_code == 302, address
            assert "/login/" in answer["Location"], address


def test_visitor_cannot_ask_for_more_by_the_address(visitor, link, outside):
    for query in ("?album=", "?q=not", "?sort=-added", "?starred=1", "?album=999"):
        page = visitor.get(link.get_absolute_url() + query).content.decode()
        assert "beach" in page and "not shared" not in page


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_visitor_changes_nothing(visitor, link, inside, method):
    root, *rest = every_address(link, inside)
    for address in rest:
        assert getattr(visitor, method)(address).status_code == 405
    assert getattr(visitor, method)(root).status_code in (302, 405)


def test_every_answer_is_kept_from_others(visitor, link, inside, outside):
    for address in (*every_address(link, inside), *every_address(link, outside)):
        answer = visitor.get(address)
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cache-Control"].startswith("private, no-")
        assert "Cookie" in answer["Vary"]


# Password


@pytest.fixture
def locked(album):
    return share(album, PASSWORD, offers_copies=True, offers_originals=True)


def test_password_opens_every_address_in_this_browser_only(visitor, locked, inside):
    for address in every_address(locked, inside)[1:]:
        assert visitor.get(address).status_code == 403, address
    page = visitor.get(locked.get_absolute_url()).content.decode()
    assert "Mallorca" not in page and "password" in page
    answer = visitor.post(locked.get_absolute_url(), {"password": PASSWORD})
    assert answer["Location"] == locked.get_absolute_url()
    for address in every_address(locked, inside):
        assert visitor.get(address).status_code == 200, address
    assert Visitor().get(every_address(locked, inside)[2]).status_code == 403


def test_cookie_goes_with_this_link_only_and_to_no_script(visitor, locked):
    visitor.post(locked.get_absolute_url(), {"password": PASSWORD})
    kept = visitor.cookies[f"share-{locked.pk}"]
    assert kept["path"] == locked.get_absolute_url()
    assert kept["httponly"] and kept["samesite"] == "Lax"
    assert PASSWORD not in kept.value and locked.password not in kept.value


def test_cookie_made_up_opens_nothing(visitor, locked):
    for value in ("1", locked.key, signing.get_cookie_signer("x").sign(locked.key)):
        visitor.cookies[f"share-{locked.pk}"] = value
        page = visitor.get(locked.get_absolute_url()).content.decode()
        assert "Mallorca" not in page


def test_another_password_closes_what_the_old_one_opened(visitor, locked):
    visitor.post(locked.get_absolute_url(), {"password": PASSWORD})
    locked.protect("another")
    locked.save()
    page = visitor.get(locked.get_absolute_url()).content.decode()
    assert "Mallorca" not in page


def test_too_many_wrong_passwords_close_the_door_for_a_while(visitor, locked):
    address = locked.get_absolute_url()
    for _ in range(10):
        answer = visitor.post(address, {"password": "no"})
        assert answer.status_code == 200
        assert "not the password" in answer.content.decode()
    for password in ("no", PASSWORD):
        answer = visitor.post(address, {"password": password})
        assert answer.status_code == 429
        assert "quarter of an hour" in answer.content.decode()
    ShareLink.objects.update(wrong_since=timezone.now() - timedelta(minutes=16))
    assert visitor.post(address, {"password": PASSWORD}).status_code == 302
    assert ShareLink.objects.get(pk=locked.pk).wrong == 0


def test_password_is_hashed(locked):
    assert PASSWORD not in str(ShareLink.objects.values().get(pk=locked.pk))


# Making and calling back


@pytest.fixture
def contributor(client, otto):
    client.force_login(otto)
    return client


def test_link_is_made_copied_and_called_back(contributor, visitor, album):
    address = f"/albums/{album.pk}/share/"
    data = {"name": "Aunt Berta", "days": "30", "offers_copies": "1"}
    page = contributor.post(address, data, follow=True).content.decode()
    url = re.search(r'value="http://testserver(/s/[^"]+)"', page)[1]
    assert "Aunt Berta" in page and "Not opened yet" in page
    assert visitor.get(url).status_code == 200
    assert "Opened 1 time" in contributor.get(address).content.decode()
    made = ShareLink.objects.get()
    days = (made.expires_at - timezone.now()).days
    assert (days, made.offers_copies, made.offers_originals) == (29, True, False)
    contributor.post(f"{address}{made.pk}/revoke/")
    assert visitor.get(url).status_code == 410
    assert "Aunt Berta" not in contributor.get(address).content.decode()


def test_link_without_an_end_is_made_where_asked_for(contributor, album):
    contributor.post(f"/albums/{album.pk}/share/", {"days": "0", "password": PASSWORD})
    made = ShareLink.objects.get()
    assert made.expires_at is None and made.password
    contributor.post(f"/albums/{album.pk}/share/", {"days": "9999999"})
    contributor.post(f"/albums/{album.pk}/share/", {})
    zipped = {"days": "30", "offers_zip": "1"}
    page = contributor.post(f"/albums/{album.pk}/share/", zipped).content.decode()
    assert "made of the originals" in page
    assert ShareLink.objects.count() == 1


def test_album_of_somebody_else_is_shared_by_administrators_only(client, album, link):
    berta = User.objects.create_user("berta")
    for role, refused in (
        (Role.VIEWER, True),
        (Role.REVIEWER, True),
        (Role.ADMINISTRATOR, False),
    ):
        family.give_role(berta, role, by=User(is_superuser=True))
        client.force_login(User.objects.get(pk=berta.pk))
        for answer in (
            client.get(f"/albums/{album.pk}/share/"),
            client.post(f"/albums/{album.pk}/share/", {"days": "7"}),
            client.post(f"/albums/{album.pk}/share/{link.pk}/revoke/"),
        ):
            assert (answer.status_code == 403) == refused


def test_link_of_another_album_is_not_called_back_here(contributor, otto, link):
    other = Album.objects.create(title="Other", made_by=otto)
    answer = contributor.post(f"/albums/{other.pk}/share/{link.pk}/revoke/")
    assert answer.status_code == 404
    assert ShareLink.objects.get(pk=link.pk).is_open


def test_only_opening_the_page_counts_as_a_visit(visitor, link, inside):
    for address in every_address(link, inside):
        visitor.get(address)
    link.refresh_from_db()
    assert link.visits == 1 and link.last_seen_at


def test_number_of_queries_does_not_grow(visitor, link, album, otto):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            visitor.get(link.get_absolute_url())
        return len(captured)

    before = queries()
    album.add([bare_photo(n).pk for n in range(100, 140)], by=otto)
    assert queries() == before
