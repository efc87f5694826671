"""What holds on every page: axe finds nothing, nothing comes from elsewhere, nothing sticks out.

Pages without arguments are found by themselves; those about one thing are listed here.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from dedup import decisions
from dedup.models import Batch, BatchRun
from gallery.models import Album, Backup, Certificate, Source
from tests import pictures
from tests.browser.conftest import log_in
from tests.dedup import rows
from tests.dedup.test_runs import placed
from tests.gallery.rows import photo, sighting

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("vault"),
]

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
NARROWEST, WIDEST = {"width": 320, "height": 640}, {"width": 3840, "height": 2160}
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
ADMIN = [
    "admin:index",
    *(f"admin:dedup_{name}_changelist" for name in ("duplicateset", "decision")),
    *("admin:dedup_verdict_changelist", "admin:gallery_purge_changelist"),
    *("admin:dedup_batches", "admin:dedup_why", "admin:dedup_history"),
    "admin:gallery_restore_changelist",
]
# What a page loads before photos, in bytes as they travel.
MOST_BYTES = 150_000


@pytest.fixture
def family() -> list[str]:
    """A vault with something on every page; return the addresses of all of them."""
    shots = [
        photo(
            pictures.scene(seed=number, size=(600, 450)),
            name=f"photo {number}.jpg",
            taken_at=timezone.datetime(2004, 7, 1 + number, 12),
            taken_precision="second",
            taken_from="exif_original",
        )
        for number in range(4)
    ]
    drive = sighting(shots[0], path="Mallorca 2004/photo 0.jpg").source
    sighting(shots[2], path="Mallorca 2004/photo 2.jpg")
    other = sighting(shots[0], path="Backup/photo 0.jpg", drive="Red").source
    other.mark_gone()
    Backup.objects.create(
        label="Second disk", path="/media/second", started_at=timezone.now()
    )
    shots[1].move_to_trash(by=None, in_favour_of=shots[0])
    album = Album.objects.create(title="Mallorca", description="Sun and sea")
    album.add([shots[0].pk, shots[2].pk], by=None)
    decided = rows.duplicate_set([rows.photo(seed=seed) for seed in (20, 21)])
    waiting = rows.duplicate_set([rows.photo(seed=seed) for seed in range(30, 33)])
    decision = decisions.resolve(decided, decisions.suggested(decided), by=None)
    batch = placed(2)[0].batch
    BatchRun.objects.create(batch=batch, version=1, total=2, state="finished")
    return [
        *plain_pages(),
        *map(reverse, ADMIN),
        *(
            f"{reverse('gallery:browse')}?{query}"
            for query in ("q=mallorca", "year=1900")
        ),
        shots[0].get_absolute_url(),
        *pages_of(drive, other),
        shots[1].get_absolute_url(),
        reverse("gallery:album", args=[album.pk]),
        *(
            reverse(f"gallery:{name}_album", args=[album.pk])
            for name in ("edit", "arrange", "share", "delete")
        ),
        reverse("admin:dedup_duplicateset_change", args=[waiting.pk]),
        reverse("admin:dedup_duplicateset_change", args=[decided.pk]),
        reverse("admin:dedup_decision_change", args=[decision.pk]),
        f"{reverse('admin:dedup_why')}?q=photo",
        *(reverse("admin:dedup_batch", args=[one.pk]) for one in Batch.objects.all()),
        reverse("admin:dedup_batchrun", args=[BatchRun.objects.get().pk]),
        "/there-is-no-such-page/",
    ]


def pages_of(drive: Source, other: Source) -> Iterator[str]:
    """Yield the addresses of the pages about drives."""
    yield from (drive.get_absolute_url(), other.get_absolute_url())
    for name in ("edit_drive", "drive_folder", "contained"):
        yield reverse(f"gallery:{name}", args=[drive.pk])
    where = f"?path=Mallorca 2004&against={other.pk}&in=Backup"
    yield reverse("gallery:contained", args=[drive.pk]) + where
    pair = f"?keep={other.pk}&discard={drive.pk}&discard_path=Mallorca 2004"
    yield reverse("admin:dedup_folders") + pair
    proof = Certificate.objects.create(
        source=drive,
        name="0" * 32,
        is_safe=False,
        listing="0" * 64,
        entries_digest="0" * 64,
        entries=2,
        bytes_read=7,
        originals=0,
        states={"document": {"count": 1, "bytes": 7}, "kept": {"count": 1, "bytes": 7}},
        problems=[{"path": "letter.txt", "state": "document", "reason": ""}],
        problem_count=1,
    )
    yield proof.get_absolute_url()


def plain_pages() -> Iterator[str]:
    """Yield the addresses that take no arguments, but for those of Django's own admin."""
    for name in names(get_resolver()):
        try:
            yield reverse(name)
        except NoReverseMatch:
            continue


def names(resolver: URLResolver, space: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern) and one.name:
            yield f"{space}{one.name}"
        elif isinstance(one, URLResolver) and one.namespace != "admin":
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from names(one, inner)


def is_a_page(page, address: str) -> bool:
    answer = page.request.get(address, max_redirects=0)
    return "text/html" in answer.headers.get("content-type", "") and answer.status in (
        200,
        404,
    )


def test_every_page_is_accessible_strict_and_as_wide_as_the_screen(
    family, page, live_server, person
):
    """Each page is loaded once: that takes far longer than all that is asked of it."""
    elsewhere, refused, wide = [], [], []
    page.on(
        "request",
        lambda asked: (
            elsewhere.append(asked.url)
            if not asked.url.startswith((live_server.url, "data:", "blob:"))
            else None
        ),
    )
    page.expose_function("refused", lambda said: refused.append(said))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (event) =>"
        " refused(`${location}: ${event.violatedDirective} ${event.blockedURI}`))"
    )
    page.goto(f"{live_server.url}/login/")
    violations = axe(page)
    log_in(page, live_server.url)
    for address in family:
        if not is_a_page(page, live_server.url + address):
            continue
        answer = page.goto(live_server.url + address)
        page.wait_for_load_state("networkidle")
        policy = answer.headers["content-security-policy"]
        if "default-src 'self'" not in policy or "unsafe" in policy:
            refused.append(f"{address}: {policy}")
        violations += axe(page)
        for size in NARROWEST, WIDEST:
            page.set_viewport_size(size)
            if not address.startswith("/admin") and page.evaluate(TOO_WIDE):
                wide.append(f"{address} at {size['width']}")
    assert violations == []
    assert elsewhere == []
    assert refused == []
    assert wide == []


def axe(page) -> list[str]:
    """Return what is wrong with a page, and where."""
    found = []
    # What is laid out otherwise has the same colours, and the other way round.
    for size, scheme in (PHONE, "light"), (DESKTOP, "dark"):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        # The admin fades from one colour into the other.
        page.evaluate("document.getAnimations().forEach((one) => one.finish())")
        found += [
            f"{page.url}, {scheme}: {one['id']}: {node['html'][:200]}:"
            f" {node['failureSummary'][:300]}"
            for one in Axe().run(page).response["violations"]
            for node in one["nodes"]
        ]
    return found


def test_first_view_is_light_before_photos(page, live_server, person):
    for number in range(40):
        photo(pictures.scene(seed=number, size=(400, 300)), name=f"IMG_{number:04}.jpg")
    log_in(page, live_server.url)
    sizes: dict[str, int] = {}

    def weigh(answer) -> None:
        if answer.request.resource_type != "image":
            body = answer.body()
            # As whitenoise sends what lies compressed beside each static file.
            is_static = "/static/" in answer.url
            sizes[answer.url] = len(gzip.compress(body) if is_static else body)

    page.on("response", weigh)
    page.goto(live_server.url)
    page.wait_for_load_state("networkidle")
    assert sum(sizes.values()) < MOST_BYTES, sizes


def test_page_can_be_installed_as_an_app(page, live_server, person):
    page.goto(f"{live_server.url}/login/")
    address = page.locator("link[rel=manifest]").evaluate("link => link.href")
    manifest = page.request.get(address).json()
    assert manifest["display"] == "standalone"
    assert {"192x192", "512x512"} <= {one["sizes"] for one in manifest["icons"]}
    assert "maskable" in {one["purpose"] for one in manifest["icons"]}
    for one in manifest["icons"]:
        answer = page.request.get(live_server.url + one["src"])
        assert answer.headers["content-type"] == one["type"]
