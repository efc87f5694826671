"""Uploads in a real browser: many at once, folders, broken lines, no scripts."""

from __future__ import annotations

import csv
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import expect

from gallery.models import ImportRun, Outcome, Photo, SourceFile, Transfer
from gallery.views import upload
from tests import pictures
from tests.browser.conftest import log_in
from tests.gallery.rows import photo, sighting

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("vault"),
]
CHOOSE, FOLDER = "Choose photos", "Choose a folder"


@pytest.fixture(scope="module")
def small() -> bytes:
    return pictures.jpeg(pictures.scene(seed=77, size=(64, 48)))


@pytest.fixture
def large(monkeypatch) -> bytes:
    """A picture sent in four pieces: what follows its end is part of the file."""
    monkeypatch.setattr(upload, "PIECE", 200_000)
    picture = pictures.jpeg(pictures.scene(seed=78, size=(640, 480)))
    return picture + b"x" * (700_000 - len(picture))


def file(name: str, content: bytes) -> dict:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def tree(folder, small: bytes, *paths: str):
    """A folder of small pictures, each another file."""
    for number, path in enumerate(paths):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(small + b"%d" % number)
    return folder


def group(page, kind: str):
    return page.locator(f"[data-kind={kind}]")


def count(page, kind: str):
    return group(page, kind).locator("[data-count]")


def finished(page, total: str, *, seconds: float = 30):
    text = re.compile(f"Done: {total} of {total} files")
    expect(page.get_by_role("heading", name=text)).to_be_visible(timeout=seconds * 1000)


def left_over() -> list:
    folders = (settings.IMAGEVAULT_DATA / name for name in ("uploads", "incoming"))
    return [path for folder in folders for path in folder.iterdir()]


def test_upload_says_what_became_of_each_file(page, site, small):
    known = photo(seed=5, name="old.jpg")
    sighting(known, path="Old/IMG_7.JPG", drive="Blue WD 2009")
    content = pictures.jpeg(pictures.scene(seed=5, size=(160, 120)))
    page.goto(f"{site}/upload/")
    page.get_by_label(CHOOSE).set_input_files(
        [
            file("new.jpg", small),
            file("copy.jpg", content),
            file("notes.txt", b"hello"),
            file("empty.jpg", b""),
        ]
    )
    finished(page, "4")
    expect(group(page, "new")).to_contain_text("new.jpg")
    expect(group(page, "known")).to_contain_text("Blue WD 2009 (Old/IMG_7.JPG)")
    expect(group(page, "refused")).to_contain_text("it is not a picture")
    expect(group(page, "refused")).to_contain_text("it is empty")
    assert SourceFile.objects.filter(outcome=Outcome.CLAIMED).count() == 1
    assert ImportRun.objects.get(source__kind="upload").seen == 4
    assert left_over() == []
    page.get_by_role("link", name="See these photos").click()
    expect(
        page.get_by_role("status").get_by_text("2 photos", exact=True)
    ).to_be_visible()


def test_folder_keeps_its_paths_and_search_finds_them(page, site, small, tmp_path):
    folder = tree(
        tmp_path / "Mallorca 2004",
        small,
        *("IMG_1.jpg", "Beach/IMG_1.jpg", "Beach/Evening/IMG_2.jpg", ".DS_Store"),
    )
    page.goto(f"{site}/upload/")
    page.get_by_label(FOLDER).set_input_files(folder)
    finished(page, "4")
    expect(count(page, "new")).to_have_text("3")
    expect(count(page, "junk")).to_have_text("1")
    paths = {path.partition("/")[2][11:] for path in seen()}
    assert paths == {
        "Mallorca 2004/IMG_1.jpg",
        "Mallorca 2004/Beach/IMG_1.jpg",
        "Mallorca 2004/Beach/Evening/IMG_2.jpg",
    }
    page.goto(f"{site}/?q=mallorca+evening")
    expect(
        page.get_by_role("status").get_by_text("1 photo", exact=True)
    ).to_be_visible()


def seen():
    return SourceFile.objects.values_list("path", flat=True)


def test_two_thousand_files_leave_the_page_small(page, site, small, tmp_path):
    folder = tree(tmp_path / "all", small, *(f"{n:04}.jpg" for n in range(2000)))
    for number in range(1900):
        # All but a hundred are in the vault already.
        content = small + b"%d" % number
        bare(content, number)
    page.goto(f"{site}/upload/")
    page.get_by_label(FOLDER).set_input_files(folder)
    finished(page, "2,000", seconds=120)
    expect(count(page, "known")).to_have_text("1,900")
    expect(count(page, "new")).to_have_text("100")
    group(page, "known").locator("summary").click()
    expect(group(page, "known").get_by_text("and 1,850 more")).to_be_visible()
    assert page.evaluate("document.querySelectorAll('*').length") < 900
    assert SourceFile.objects.count() == 2000
    assert Photo.objects.count() == 2000


def bare(content: bytes, number: int) -> None:
    """A photo the vault has, with an empty file for its original."""
    import hashlib

    from gallery import vault as vaults

    digest = hashlib.sha256(content).hexdigest()
    place = vaults.original(settings.IMAGEVAULT_DATA, digest, "jpg")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch()
    Photo.objects.create(
        digest=digest, extension="jpg", size=len(content), name=f"{number}.jpg"
    )


def test_same_picture_twice_in_a_folder_is_sent_once(page, site, small):
    page.goto(f"{site}/upload/")
    page.get_by_label(CHOOSE).set_input_files(
        [file(f"{n}.jpg", small) for n in range(5)]
    )
    finished(page, "5")
    expect(count(page, "new")).to_have_text("1")
    expect(count(page, "known")).to_have_text("4")
    assert Photo.objects.count() == 1
    assert Transfer.objects.count() == 1
    assert SourceFile.objects.count() == 5


def test_names_that_are_too_long_or_no_text_are_sent_all_the_same(page, site, small):
    page.goto(f"{site}/upload/")
    page.evaluate(DROP_STRANGE, [list(small)])
    finished(page, "2")
    expect(count(page, "new")).to_have_text("2")
    names = {path.rpartition("/")[2] for path in seen()}
    assert names == {"long.jpg", "a\N{REPLACEMENT CHARACTER}b.jpg"}


DROP_STRANGE = """([bytes]) => {
  const file = (path, n) => ({
    isDirectory: false, fullPath: path,
    file: (ok) => ok(new File([new Uint8Array(bytes), n], "x.jpg", {lastModified: 1e12})),
  });
  const items = [file(`/${"ü/".repeat(5000)}long.jpg`, "1"), file("/a\\ud800b.jpg", "2")];
  const event = new Event("drop", {bubbles: true, cancelable: true});
  Object.defineProperty(event, "dataTransfer", {value: {files: [],
    items: items.map((one) => ({kind: "file", webkitGetAsEntry: () => one}))}});
  document.getElementById("upload").dispatchEvent(event);
}"""


def test_list_of_all_files_can_be_saved(page, site, small):
    page.goto(f"{site}/upload/")
    page.get_by_label(CHOOSE).set_input_files(
        [file("a.jpg", small), file('=1+1, "x".txt', b"hello")]
    )
    finished(page, "2")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the list").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    header, *rows = csv.reader(text.splitlines())
    assert header == ["File", "What became of it", "In words"]
    assert sorted(row[:2] for row in rows) == [
        ['\'=1+1, "x".txt', "Not stored"],
        ["a.jpg", "New in the vault"],
    ]


# Broken lines


@pytest.fixture
def cut(page):
    """A line that can be cut: pieces after the first ones do not get through."""
    line = {"pieces": 2, "sent": 0}

    def carry(route):
        if (
            "upload-metadata" in route.request.headers
            or route.request.method == "PATCH"
        ):
            line["sent"] += 1
            if line["sent"] > line["pieces"]:
                return route.abort("connectionreset")
        return route.continue_()

    page.route("**/upload/files/**", carry)
    return line


def offset() -> int:
    row = Transfer.objects.get()
    return (settings.IMAGEVAULT_DATA / "uploads" / row.pk).stat().st_size


def test_upload_cut_in_the_middle_goes_on_by_itself(
    page, live_server, person, small, large, cut
):
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/upload/")
    page.get_by_label(CHOOSE).set_input_files([file("large.jpg", large)])
    expect(page.get_by_role("alert")).to_contain_text("connection is broken")
    assert offset() == 400_000
    cut["pieces"] = 1000
    page.get_by_role("button", name="Try now").click()
    finished(page, "1")
    expect(count(page, "new")).to_have_text("1")
    # Nothing was sent twice: two pieces, one in vain, and the other two.
    assert cut["sent"] <= 6
    assert Photo.objects.get().size == len(large)
    assert left_over() == []


def test_upload_goes_on_after_the_page_was_loaded_again(
    page, live_server, person, large, cut
):
    log_in(page, live_server.url)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{live_server.url}/upload/")
    page.get_by_label(CHOOSE).set_input_files([file("large.jpg", large)])
    expect(page.get_by_role("alert")).to_contain_text("connection is broken")
    page.reload()
    expect(page.get_by_role("heading", name="1 unfinished upload")).to_be_visible()
    expect(page.get_by_text("57 % of")).to_be_visible()
    cut.update(pieces=1000, sent=0)
    page.get_by_label(CHOOSE).set_input_files([file("large.jpg", large)])
    finished(page, "1")
    assert cut["sent"] == 2
    assert Photo.objects.get().size == len(large)
    assert ImportRun.objects.filter(seen=1).count() == 1
    page.reload()
    expect(page.get_by_text("unfinished")).to_have_count(0)


def test_unfinished_upload_can_be_given_up(page, live_server, person, large, cut):
    log_in(page, live_server.url)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{live_server.url}/upload/")
    page.get_by_label(CHOOSE).set_input_files([file("large.jpg", large)])
    expect(page.get_by_role("alert")).to_contain_text("connection is broken")
    page.reload()
    page.get_by_role("button", name="Give up large.jpg").click()
    expect(page.get_by_text("large.jpg will not be uploaded.")).to_be_visible()
    assert left_over() == []


def test_pause_stop_and_the_rest_is_told(page, site, small):
    page.route("**/upload/files/**", lambda route: held(route))
    page.goto(f"{site}/upload/")
    page.get_by_label(CHOOSE).set_input_files(
        [file(f"{n}.jpg", small + b"%d" % n) for n in range(2)]
    )
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    expect(page.get_by_role("button", name="Go on")).to_be_focused()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Stop").click()
    finished(page, "2")
    expect(count(page, "stopped")).to_have_text("2")
    expect(group(page, "stopped")).to_contain_text("because you stopped")
    page.get_by_role("button", name="Upload more").click()
    expect(page.get_by_label(CHOOSE)).to_be_focused()


def held(route):
    """Never answered: as slow as a line can be."""


def test_who_was_logged_out_is_told_and_goes_on(page, live_server, person, small):
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/upload/")
    page.context.clear_cookies()
    page.get_by_label(CHOOSE).set_input_files([file("new.jpg", small)])
    expect(page.get_by_role("alert")).to_contain_text("not logged in any more")
    other = page.context.new_page()
    log_in(other, live_server.url)
    other.close()
    page.get_by_role("button", name="Try now").click()
    finished(page, "1")
    expect(count(page, "new")).to_have_text("1")


def test_full_disk_is_told_and_the_upload_waits(
    page, live_server, person, small, monkeypatch
):
    from gallery import transfers

    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/upload/")
    with monkeypatch.context() as patch:
        patch.setattr(transfers, "RESERVE", 1 << 60)
        page.get_by_label(CHOOSE).set_input_files([file("new.jpg", small)])
        expect(page.get_by_role("alert")).to_contain_text("disk is full")
    page.get_by_role("button", name="Try now").click()
    finished(page, "1")
    expect(count(page, "new")).to_have_text("1")


def test_leaving_the_page_meanwhile_asks_first(page, site, small):
    page.route("**/upload/files/**", lambda route: held(route))
    page.goto(f"{site}/upload/")
    page.get_by_label(CHOOSE).set_input_files([file("new.jpg", small)])
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.goto(f"{site}/trash/")
    assert asked == ["beforeunload"]


# Other ways


def test_photo_in_the_trash_is_restored_from_the_list(page, site):
    row = photo(seed=5, name="old.jpg")
    row.move_to_trash(by=None, in_favour_of=photo(seed=9, name="better.jpg"))
    content = pictures.jpeg(pictures.scene(seed=5, size=(160, 120)))
    page.goto(f"{site}/upload/")
    page.get_by_label(CHOOSE).set_input_files([file("copy.jpg", content)])
    finished(page, "1")
    expect(group(page, "trashed")).to_contain_text("better.jpg")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("It is back among the photos.")).to_be_visible()
    row.refresh_from_db()
    assert row.is_live


def test_dry_look_says_what_is_missing_and_sends_nothing(page, site, small, tmp_path):
    folder = tree(
        tmp_path / "stick", small, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/letter.txt"
    )
    bare((folder / "a/1.jpg").read_bytes(), 1)
    asked = []
    page.on("request", lambda request: asked.append(request))
    page.goto(f"{site}/upload/")
    page.get_by_role("link", name="Only look").click()
    page.get_by_label(FOLDER).set_input_files(folder)
    finished(page, "4")
    expect(count(page, "known")).to_have_text("1")
    expect(count(page, "wanted")).to_have_text("2")
    expect(count(page, "no-picture")).to_have_text("1")
    folders = page.locator("[data-folders] summary")
    expect(folders).to_have_count(2)
    expect(folders.first).to_contain_text("stick/a")
    expect(folders.first).to_contain_text("1 of 2 not there")
    folders.first.click()
    expect(page.get_by_text("2.jpg", exact=True)).to_be_visible()
    posts = [one for one in asked if one.method == "POST"]
    assert {one.url for one in posts} == {f"{site}/upload/known/"}
    assert "jpg" not in posts[-1].post_data
    assert SourceFile.objects.count() == 0

    page.get_by_role("button", name="Upload what is not there: 2").click()
    finished(page, "2")
    expect(count(page, "new")).to_have_text("2")
    assert Photo.objects.count() == 3


def test_dropped_folder_is_walked(page, site, small, tmp_path):
    tree(tmp_path / "Mallorca 2004", small, "IMG_1.jpg", "Beach/IMG_2.jpg")
    page.goto(f"{site}/upload/")
    # No browser lets a script drop a folder of the disk: its entries are played.
    page.evaluate(DROP, [list(small)])
    finished(page, "130")
    paths = {path.partition("/")[2][11:] for path in seen()}
    assert "Mallorca 2004/Beach/129.jpg" in paths
    assert len(paths) == 130


DROP = """([bytes]) => {
  const file = (path, n) => ({
    isDirectory: false, fullPath: path,
    file: (ok) => ok(new File([new Uint8Array(bytes), String(n)], path.split("/").pop(), {lastModified: 1e12})),
  });
  const folder = (path, entries) => ({
    isDirectory: true, fullPath: path,
    createReader: () => { const left = [...entries]; return {
      readEntries: (ok) => ok(left.splice(0, 100)) }; },
  });
  const many = Array.from({length: 129}, (_, n) => file(`/Mallorca 2004/Beach/${n + 1}.jpg`, n));
  const root = folder("/Mallorca 2004", [file("/Mallorca 2004/0.jpg", "x"),
    folder("/Mallorca 2004/Beach", many)]);
  const event = new Event("drop", {bubbles: true, cancelable: true});
  Object.defineProperty(event, "dataTransfer", {value: {
    items: [{kind: "file", webkitGetAsEntry: () => root}], files: []}});
  document.getElementById("upload").dispatchEvent(event);
}"""


def test_upload_by_keyboard_alone(page, site, small, tmp_path):
    page.goto(f"{site}/upload/")
    inside = page.get_by_label(CHOOSE)
    for _ in range(40):
        page.keyboard.press("Tab")
        if inside.evaluate("one => one === document.activeElement"):
            break
    expect(inside).to_be_focused()
    (tmp_path / "new.jpg").write_bytes(small)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(tmp_path / "new.jpg")
    finished(page, "1")
    expect(page.get_by_role("heading", name="Done: 1 of 1 files")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="See these photos")).to_be_focused()
    page.keyboard.press("Enter")
    expect(
        page.get_by_role("status").get_by_text("1 photo", exact=True)
    ).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_and_after_files_are_sent(page, site, small, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    row = photo(seed=5, name="old.jpg")
    row.move_to_trash(by=None, in_favour_of=photo(seed=9, name="better.jpg"))
    content = pictures.jpeg(pictures.scene(seed=5, size=(160, 120)))
    page.goto(f"{site}/upload/")
    page.route("**/upload/files/**", lambda route: held(route))
    page.get_by_label(CHOOSE).set_input_files(
        [file("a.jpg", small), file("copy.jpg", content), file("empty.jpg", b"")]
    )
    expect(count(page, "trashed")).to_have_text("1")
    assert broken_rules(page) == []
    page.get_by_role("button", name="Stop").click()
    finished(page, "3")
    assert broken_rules(page) == []
    page.goto(f"{site}/upload/check/")
    page.get_by_label(CHOOSE).set_input_files([file("a.jpg", small)])
    finished(page, "1")
    assert broken_rules(page) == []


def broken_rules(page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def test_text_that_is_dropped_is_no_upload(page, site):
    page.goto(f"{site}/upload/")
    page.evaluate("""() => {
      const event = new Event("drop", {bubbles: true, cancelable: true});
      Object.defineProperty(event, "dataTransfer", {value: {items: [{kind: "string"}]}});
      document.getElementById("upload").dispatchEvent(event);
    }""")
    expect(page.get_by_label(CHOOSE)).to_be_attached()
    assert not ImportRun.objects.exists()


def test_upload_on_a_phone_fits(page, site, small):
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{site}/upload/")
    long = "x" * 120 + ".jpg"
    page.get_by_label(CHOOSE).set_input_files(
        [file(long, small), file("notes " + long, b"no")]
    )
    finished(page, "2")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_upload_over_plain_http(browser, live_server, person, small, settings):
    """In the house's network there is no https, and less that a browser can do."""
    settings.ALLOWED_HOSTS = ["photos.test"]
    port = live_server.url.rpartition(":")[2]
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    try:
        site = f"http://photos.test:{port}"
        log_in(page, site)
        page.goto(f"{site}/upload/")
        assert page.evaluate("isSecureContext") is False
        page.get_by_label(CHOOSE).set_input_files([file("new.jpg", small)])
        finished(page, "1")
        expect(count(page, "new")).to_have_text("1")
    finally:
        context.close()


def test_few_files_without_scripts(new_context, live_server, person, small):
    page = new_context(java_script_enabled=False).new_page()
    log_in(page, live_server.url)
    page.get_by_role("link", name="Upload", exact=True).click()
    expect(page.get_by_label(CHOOSE)).to_be_hidden()
    page.get_by_label("Photos to upload").set_input_files(
        [file("new.jpg", small), file("notes.txt", b"hello")]
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("New: stored in the vault.")).to_be_visible()
    expect(page.get_by_text("it is not a picture")).to_be_visible()
    page.get_by_role("link", name="Only look").click()
    expect(page.get_by_text("This look needs JavaScript")).to_be_visible()
