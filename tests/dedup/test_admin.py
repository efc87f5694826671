"""The review desk, asked over HTTP."""

from datetime import datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from dedup import admin
from dedup.models import Decision, DuplicateSet, Kind, Member, Verdict
from gallery.models import Photo
from tests.dedup import rows
from tests.dedup.test_find_duplicates import sighting

pytestmark = pytest.mark.django_db

LIST = reverse("admin:dedup_duplicateset_changelist")


@pytest.fixture
def pair(vault) -> DuplicateSet:
    """An open set of two photos that are in the vault."""
    return rows.duplicate_set([rows.photo(seed=1), rows.photo(seed=2)])


@pytest.fixture
def staff(client, django_user_model):
    """Log in somebody who may see the admin and has these permissions."""

    def log_in(*permissions: str):
        user = django_user_model.objects.create_user("berta", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return user

    return log_in


def page(one: DuplicateSet) -> str:
    return reverse("admin:dedup_duplicateset_change", args=[one.pk])


def answer(one: DuplicateSet, *choices: str, **more: object) -> dict[str, object]:
    photos = one.members.order_by("place").values_list("photo", flat=True)
    chosen = {f"photo-{pk}": choice for pk, choice in zip(photos, choices, strict=True)}
    return {"seen": one.revision, **chosen, **more}


def state(one: DuplicateSet) -> str:
    return DuplicateSet.objects.get(pk=one.pk).state


def bare_set(number: int, *, size: int = 2, **values: object) -> DuplicateSet:
    photos = [rows.bare_photo(1000 * number + place) for place in range(size)]
    made = rows.duplicate_set(photos)
    DuplicateSet.objects.filter(pk=made.pk).update(**values)
    return made


def test_the_list_shows_open_sets(admin_client, pair):
    closed = bare_set(1, state="resolved")
    assertContains(admin_client.get(LIST), page(pair))
    assertNotContains(admin_client.get(LIST), page(closed))
    assertContains(admin_client.get(LIST, {"state": "all"}), page(closed))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"kind__exact": "similar_shots"}, {1}),
        ({"relation": "cropped"}, {2}),
        ({"source": "nonsense"}, {1, 2, 3}),
        ({"o": "nonsense"}, {1, 2, 3}),
    ],
)
def test_the_list_can_be_filtered(admin_client, asked, found):
    made = {
        1: bare_set(1, kind="similar_shots"),
        2: bare_set(2, relation="cropped"),
        3: bare_set(3),
    }
    shown = admin_client.get(LIST, asked).context["cl"].result_list
    assert {row.pk for row in shown} == {made[number].pk for number in found}


@pytest.mark.parametrize("few", [0, 20_000])
def test_the_list_can_be_filtered_by_source(admin_client, pair, monkeypatch, few):
    monkeypatch.setattr(admin, "FEW", few)
    other = bare_set(1)
    seen = pair.members.first().photo
    sighting(seen, "DCIM/1.jpg")
    source = seen.sightings.get().source
    shown = admin_client.get(LIST, {"source": source.pk}).context["cl"].result_list
    assert pair in shown
    assert other not in shown


def test_sets_of_a_source_are_counted_so_far_and_no_further(
    admin_client, vault, monkeypatch
):
    monkeypatch.setattr(admin.Bounded, "MOST", 2)
    for number in range(1, 5):
        one = bare_set(number)
        sighting(one.members.first().photo, f"DCIM/{number}.jpg")
    source = one.members.first().photo.sightings.get().source_id
    shown = admin_client.get(LIST, {"source": source}).context["cl"]
    assert shown.result_count == 2
    assert admin_client.get(LIST).context["cl"].result_count == 4


def test_the_list_says_no_more_of_a_date_than_is_known(admin_client, pair):
    keeper = pair.members.get(is_keeper=True).photo
    keeper.update_facts(
        taken_at=datetime(2014, 3, 12), taken_precision="latest", taken_from="file_name"
    )
    assertContains(admin_client.get(LIST), "12 March 2014 or before")


def test_the_list_asks_no_more_for_more_sets(
    admin_client, django_assert_max_num_queries
):
    for number in range(3):
        bare_set(number)
    admin_client.get(LIST)
    with django_assert_max_num_queries(14) as few:
        admin_client.get(LIST)
    for number in range(3, 20):
        bare_set(number, size=7)
    with django_assert_max_num_queries(len(few)):
        admin_client.get(LIST)


def test_the_review_page_asks_no_more_for_more_members(
    admin_client, django_assert_max_num_queries
):
    small, large = bare_set(1), bare_set(2, size=12)
    bare_set(3)
    admin_client.get(page(small))
    with django_assert_max_num_queries(20) as few:
        admin_client.get(page(small))
    with django_assert_max_num_queries(len(few)):
        admin_client.get(page(large))


def test_facts_that_differ_are_marked_and_others_folded(admin_client, vault):
    one = rows.photo(seed=1, camera_model="EOS 5D", width=4000, height=3000)
    other = rows.photo(seed=2, camera_model="EOS 5D", width=400, height=300)
    review = admin_client.get(page(rows.duplicate_set([one, other]))).context["review"]
    assert "Camera" in [fact.label for fact in review.same]
    assert "Dimensions" in [fact.label for fact in review.shown[0].facts]


def test_a_doubtful_set_says_why_and_numbers_are_in_words(admin_client, pair):
    said = {
        "kind": "duplicates",
        "confidence": 0.7,
        "because": "All of it agrees.",
        "strength": 0.9,
        "separates": False,
        "numbers": None,
        "relations": [
            {
                "name": "edited",
                "of": "unknown",
                "numbers": {"share": 0.25, "odds": 2.83, "because": "rounding"},
            }
        ],
    }
    pair.members.filter(place=1).update(judgement=said, confidence=0.7)
    DuplicateSet.objects.update(confidence=0.7)
    front = admin_client.get(page(pair))
    assertContains(front, "Nothing tells whether photo 2.jpg or the keeper was altered")
    assertContains(
        front, "25.0 % of the picture, the rounding of the one shows through"
    )
    assertNotContains(front, "odds")
    DuplicateSet.objects.update(confidence=0.95)
    assertNotContains(admin_client.get(page(pair)), "Nothing tells whether")


def test_the_page_says_what_happens_to_files(admin_client, pair):
    answer = admin_client.get(page(pair))
    assertContains(answer, "move to the trash and are kept there for 30 days")


def test_the_admin_begins_with_the_desk_where_one_left_off(admin_client, pair):
    following = bare_set(1, bytes_to_gain=7 << 30)
    bare_set(2)
    assertContains(admin_client.get("/admin/"), "1 of 3")
    admin_client.post(page(pair), answer(pair, "keep", "discard"))
    front = admin_client.get("/admin/")
    assertContains(front, "1 of 2")
    assertContains(front, "7.0\xa0GB to gain, about 1 minute left")
    assertContains(front, page(following))
    DuplicateSet.objects.all().delete()
    assertContains(admin_client.get("/admin/"), "Nothing is waiting")


def test_sets_come_up_by_what_they_gain_where_that_is_asked_for(admin_client, pair):
    least, most, same = (bare_set(number) for number in (1, 2, 3))
    DuplicateSet.objects.filter(pk=least.pk).update(bytes_to_gain=1)
    DuplicateSet.objects.filter(pk__in=[most.pk, same.pk]).update(bytes_to_gain=1 << 30)
    assertRedirects(admin_client.get(page(pair), {"order": "gain"}), page(pair))
    walked = [same]
    while len(walked) < 4:
        shown = admin_client.get(page(walked[-1])).context
        assert shown["progress"].place == len(walked)
        walked.append(
            next(one for one in (least, most, pair) if page(one) == shown["next_url"])
        )
    assert walked == [same, most, pair, least]
    assert admin_client.get(page(pair)).context["previous_url"] == page(most)
    assertContains(admin_client.get("/admin/"), page(same))
    done = admin_client.post(page(pair), answer(pair, "keep", "discard"))
    assertRedirects(done, page(least))
    admin_client.get(page(least), {"order": "alike"})
    assert admin_client.get(page(least)).context["next_url"] == page(most)


def test_a_set_is_carried_out_and_the_next_one_comes(admin_client, pair):
    following = bare_set(1)
    DuplicateSet.objects.filter(pk=pair.pk).update(bytes_to_gain=9000)
    done = admin_client.post(page(pair), answer(pair, "keep", "discard"))
    assertRedirects(done, page(following))
    assert state(pair) == "resolved"
    keeper, copy = Photo.objects.filter(name__startswith="photo").order_by("pk")
    assert keeper.is_live
    assert copy.in_favour_of == keeper


def test_after_the_last_set_comes_the_list(admin_client, pair):
    done = admin_client.post(page(pair), answer(pair, "keep", "discard"))
    assertRedirects(done, LIST)


def test_a_decision_is_logged_and_can_be_undone_from_its_message(admin_client, pair):
    done = admin_client.post(page(pair), answer(pair, "keep", "discard"), follow=True)
    decision = Decision.objects.get()
    undo = reverse("admin:dedup_decision_undo", args=[decision.pk])
    assertContains(done, undo)
    assertContains(done, "1 photo moved to the trash, 1 kept.")
    assert LogEntry.objects.get().object_id == str(pair.pk)
    assertRedirects(admin_client.post(undo), page(pair))
    assert state(pair) == "open"
    assert LogEntry.objects.count() == 2


def test_dismissing_keeps_all(admin_client, pair):
    admin_client.post(page(pair), answer(pair, "keep", "discard", dismiss=""))
    assert state(pair) == "dismissed"
    assert Photo.objects.live().count() == 2


def test_promise_04_keeping_none_is_refused(admin_client, pair):
    done = admin_client.post(
        page(pair), answer(pair, "discard", "discard"), follow=True
    )
    assertContains(done, "At least one photo has to be kept")
    assert state(pair) == "open"


@pytest.mark.parametrize(
    "change",
    [{"seen": 7}, {"seen": "x"}, {"photo-0": "keep"}],
    ids=["outdated", "nonsense", "another photo"],
)
def test_an_outdated_page_does_nothing(admin_client, pair, change):
    data = answer(pair, "keep", "discard")
    if "photo-0" in change:
        data.popitem()
    done = admin_client.post(page(pair), data | change, follow=True)
    assertContains(done, "has changed since you opened it")
    assert state(pair) == "open"


def test_the_second_of_two_reviewers_is_told(admin_client, pair):
    data = answer(pair, "keep", "discard")
    admin_client.post(page(pair), data)
    done = admin_client.post(page(pair), data, follow=True)
    assertContains(done, "decided by admin meanwhile")
    assert Decision.objects.count() == 1


def test_who_may_only_look_cannot_decide(client, staff, pair):
    staff("view_duplicateset")
    assertNotContains(client.get(page(pair)), "Carry out")
    assert client.post(page(pair), answer(pair, "keep", "discard")).status_code == 403
    assert state(pair) == "open"


def test_who_may_not_look_sees_nothing(client, staff, pair):
    staff()
    assert client.get(page(pair)).status_code == 403
    assert client.get(LIST).status_code == 403


def test_undo_needs_the_permission_to_decide(client, staff, admin_client, pair):
    admin_client.post(page(pair), answer(pair, "keep", "discard"))
    undo = reverse("admin:dedup_decision_undo", args=[Decision.objects.get().pk])
    staff("view_duplicateset", "change_decision")
    assert client.post(undo).status_code == 403
    assert client.get(undo).status_code == 405
    assert state(pair) == "resolved"


@pytest.mark.parametrize("name", ["duplicateset", "decision", "verdict"])
def test_nothing_is_added_or_deleted_by_hand(admin_client, name, pair):
    assert admin_client.get(reverse(f"admin:dedup_{name}_add")).status_code == 403
    delete = reverse(f"admin:dedup_{name}_delete", args=[pair.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code != 200
    assert DuplicateSet.objects.filter(pk=pair.pk).exists()


def carry_out(client, action: str, *sets: DuplicateSet):
    data = {"action": action, "_selected_action": [one.pk for one in sets]}
    return client.post(LIST, data, follow=True)


def test_promise_08_many_at_once_leaves_similar_shots_alone(admin_client, vault):
    sure = rows.duplicate_set([rows.photo(seed=1), rows.photo(seed=2)])
    shots = rows.duplicate_set(
        [rows.photo(seed=3), rows.photo(seed=4)], kind=Kind.SIMILAR_SHOTS
    )
    doubtful = rows.duplicate_set([rows.photo(seed=5), rows.photo(seed=6)])
    damaged = rows.duplicate_set([rows.photo(seed=7), rows.photo(seed=8)])
    DuplicateSet.objects.exclude(pk=doubtful.pk).update(confidence=0.95)
    Member.objects.filter(duplicate_set=damaged, place=1).update(relation="damaged")
    done = carry_out(
        admin_client, "resolve_as_suggested", sure, shots, doubtful, damaged
    )
    states = [state(one) for one in (sure, shots, doubtful, damaged)]
    assert states == ["resolved", "open", "open", "open"]
    assertContains(done, "1 set was decided")
    assertContains(done, "3 sets were left as they are")


def test_many_sets_are_dismissed_at_once(admin_client):
    made = [bare_set(number) for number in range(3)]
    carry_out(admin_client, "dismiss_selected", *made)
    assert {state(one) for one in made} == {"dismissed"}


def test_the_trace_tells_who_decided_what(admin_client, pair):
    admin_client.post(page(pair), answer(pair, "keep", "discard"))
    decision = Decision.objects.get()
    assertContains(
        admin_client.get(reverse("admin:dedup_decision_changelist")),
        "1 kept, 1 discarded",
    )
    trace = admin_client.get(reverse("admin:dedup_decision_change", args=[decision.pk]))
    assertContains(trace, "in the trash in favour of photo 1.jpg")
    assertContains(trace, "Undo this decision")


def test_what_was_purged_is_said_to_be_gone_and_undo_not_offered(admin_client, pair):
    admin_client.post(page(pair), answer(pair, "keep", "discard"))
    decision = Decision.objects.get()
    gone = Photo.objects.get(in_favour_of__isnull=False)
    Photo.objects.filter(pk=gone.pk).update(purged_at=decision.at)
    trace = reverse("admin:dedup_decision_change", args=[decision.pk])
    for shown in (admin_client.get(trace), admin_client.get(page(pair))):
        assertContains(shown, "cannot be undone any more")
        assertNotContains(shown, "Undo this decision")
        assertNotContains(shown, "n the trash")
        assertNotContains(shown, reverse("gallery:thumbnail", args=[gone.pk]))
    assertContains(admin_client.get(page(pair)), "Purged on")


def test_verdicts_can_be_found_by_digest(admin_client, pair):
    admin_client.post(page(pair), answer(pair, "keep", "discard"))
    left = Verdict.objects.get().left_digest
    where = reverse("admin:dedup_verdict_changelist")
    assertContains(admin_client.get(where, {"q": left[:12]}), left[:16])


def test_a_set_that_never_was_is_not_found(admin_client):
    for where in ("999", "nonsense"):
        asked = reverse("admin:dedup_duplicateset_change", args=[where])
        assert admin_client.get(asked).status_code == 404


# What moves, who is at it, how far it is


def test_the_page_says_what_moves_before_anything_is_done(
    admin_client, admin_user, pair
):
    keeper, copy = (member.photo for member in pair.members.order_by("place"))
    Photo.objects.filter(pk=copy.pk).update(
        taken_at="2009-05-03 12:00",
        taken_precision="second",
        taken_from="exif_original",
        latitude=1.5,
        longitude=2.5,
    )
    copy.star(by=admin_user)
    answer = admin_client.get(page(pair))
    assertContains(answer, f"takes over from {copy.name}")
    assertContains(answer, "3 May 2009")
    assertContains(answer, "1.50000, 2.50000")
    assertContains(answer, "the stars of admin")
    other = reverse("admin:dedup_moves", args=[pair.pk])
    said = admin_client.get(other, answer_of(pair, "discard", "keep"))
    assertContains(said, "Nothing has to move")
    admin_client.post(page(pair), answer_of(pair, "keep", "discard"))
    keeper.refresh_from_db()
    assert (keeper.taken_at.year, keeper.latitude) == (2009, 1.5)
    assert keeper.favourites.get().user == admin_user


answer_of = answer


def test_two_reviewers_never_get_the_same_set(client, django_user_model, vault):
    sets = [
        rows.duplicate_set([rows.photo(seed=2 * n), rows.photo(seed=2 * n + 1)])
        for n in range(3)
    ]
    anna = django_user_model.objects.create_superuser("anna")
    berta = django_user_model.objects.create_superuser("berta")
    client.force_login(anna)
    client.get(page(sets[1]))
    client.force_login(berta)
    shown = client.get(page(sets[0]))
    assert shown.context["next_url"] == page(sets[2])
    shown = client.get(page(sets[1]))
    assertContains(shown, "anna is looking at this set just now")
    assertNotContains(shown, "Carry out and next")
    client.post(page(sets[1]), answer(sets[1], "keep", "discard"))
    assert state(sets[1]) == "open"


def test_a_claim_lapses(client, django_user_model, pair):
    from django.utils import timezone

    anna = django_user_model.objects.create_superuser("anna")
    berta = django_user_model.objects.create_superuser("berta")
    assert pair.claim(by=anna)
    assert not pair.claim(by=berta)
    DuplicateSet.objects.update(claimed_until=timezone.now())
    assert pair.claim(by=berta)
    assert not pair.claim(by=anna)


def test_who_only_looks_claims_nothing(client, staff, pair):
    staff("view_duplicateset")
    client.get(page(pair))
    pair.refresh_from_db()
    assert pair.claimed_by is None


def test_s_says_similar_shots(admin_client, pair):
    admin_client.post(page(pair), answer(pair, "keep", "discard", similar=""))
    assert state(pair) == "dismissed"
    assert Verdict.objects.get().says == "similar_shots"
    assert not Photo.objects.trashed().exists()


def test_the_page_says_how_far_it_is(admin_client, vault):
    for number in range(1, 6):
        bare_set(number, bytes_to_gain=2_000_000)
    first = DuplicateSet.objects.first()
    answer = admin_client.get(page(first))
    assertContains(answer, "1 of 5")
    assertContains(answer, "9.5\xa0MB to gain")
    assertContains(answer, "about 1 minute left")


def test_the_pictures_of_the_next_set_are_asked_for_ahead(admin_client, vault):
    one, other = (
        rows.duplicate_set([rows.photo(seed=n), rows.photo(seed=n + 1)]) for n in (0, 5)
    )
    ahead = admin_client.get(page(one)).context["ahead"]
    photos = other.members.order_by("place")
    assert ahead == [member.photo.preview_url for member in photos]
