"""What the database itself holds to, about sets and pairs."""

import pytest
from django.db import IntegrityError

from dedup.models import Comparison, Member, Verdict, pair_of
from tests.dedup import rows

pytestmark = pytest.mark.django_db


def test_a_set_has_one_keeper():
    made = rows.duplicate_set([rows.bare_photo(1), rows.bare_photo(2)])
    with pytest.raises(IntegrityError):
        made.members.filter(place=1).update(is_keeper=True)


def test_a_photo_is_a_member_once():
    one = rows.bare_photo(1)
    made = rows.duplicate_set([one, rows.bare_photo(2)])
    with pytest.raises(IntegrityError):
        Member.objects.create(duplicate_set=made, photo=one)


def test_a_pair_is_compared_once():
    one, other = rows.bare_photo(1), rows.bare_photo(2)
    rows.match(one, other)
    with pytest.raises(IntegrityError):
        rows.match(other, one)


def test_the_left_photo_came_first():
    one, other = rows.bare_photo(1), rows.bare_photo(2)
    with pytest.raises(IntegrityError):
        Comparison.objects.create(left=other, right=one)


def test_digests_of_a_verdict_are_in_order():
    with pytest.raises(IntegrityError):
        Verdict.objects.create(left_digest="b", right_digest="a", says="same")


def test_pair_of_does_not_mind_the_order():
    assert pair_of("b", "a") == pair_of("a", "b") == ("a", "b")
