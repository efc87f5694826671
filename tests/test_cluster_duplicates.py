"""A real cluster that looks for duplicates, killed while it searches and compares."""

from __future__ import annotations

import os
import signal

from dedup.backlog import find_duplicates
from dedup.models import (
    Comparison,
    DuplicateSet,
    Fingerprint,
    Member,
    SearchPass,
    Turn,
)
from tests import pictures
from tests.dedup import rows
from tests.house import Cluster

FEEDERS = "dedup.tasks.feed"


def family(scenes: int) -> None:
    """So many scenes, each with a small copy and a mirrored crop."""
    for seed in range(scenes):
        scene = pictures.scene(seed=seed, size=(480, 360))
        rows.photo(scene)
        rows.photo(pictures.resized(scene, factor=0.6))
        rows.photo(pictures.mirrored(scene.crop((90, 60, 460, 350))))


def forget() -> None:
    for model in (DuplicateSet, Comparison, SearchPass, Turn, Fingerprint):
        model.objects.all().delete()


def sets() -> set[tuple]:
    """The sets by who is in them, in their order, and how each differs."""
    found: dict[int, list[tuple]] = {}
    for member in Member.objects.order_by("duplicate_set", "place"):
        said = (member.photo_id, member.relation, member.suggestion, member.reason)
        found.setdefault(member.duplicate_set_id, []).append(said)
    return {tuple(members) for members in found.values()}


def pairs() -> set[tuple[int, int, str]]:
    return set(Comparison.objects.values_list("left", "right", "kind"))


def is_done() -> bool:
    # What two kills and a busy machine broke off too often, a person has done again.
    for steps in (Fingerprint.objects.all(), Comparison.objects.all()):
        steps.retry()
    return (
        Fingerprint.objects.exists()
        and not Fingerprint.objects.outstanding().exists()
        and not Fingerprint.objects.to_search().exists()
        and not Comparison.objects.outstanding().exists()
        and not Comparison.objects.to_group().exists()
    )


def kill(cluster: Cluster) -> None:
    os.kill(cluster.watchdog.pid, signal.SIGKILL)
    cluster.watchdog.wait()
    cluster.house.wait_for(lambda: not cluster.house.inhabitants())


def test_promise_10_killed_searching_and_comparing_leave_what_one_run_leaves(house):
    family(5)
    find_duplicates(workers=0)
    clean = sets(), pairs()
    assert len(clean[0]) == 5
    forget()
    cluster = Cluster(house, IMAGEVAULT_TEST_FEEDERS=FEEDERS)
    house.wait_for(
        lambda: SearchPass.objects.exists() or Comparison.objects.exists(), seconds=90
    )
    kill(cluster)
    cluster.start()
    house.wait_for(
        lambda: is_done() or Comparison.objects.filter(attempts__gt=0).exists(),
        seconds=90,
    )
    kill(cluster)
    cluster.start()
    house.wait_for(is_done, seconds=120)
    assert (sets(), pairs()) == clean
    assert not SearchPass.objects.exists()


def test_a_killed_command_is_gone_on_with_by_the_next(house):
    family(5)
    find_duplicates(workers=0)
    clean = sets(), pairs()
    forget()
    for half in (Fingerprint, Comparison):
        command = house.start("find_duplicates", "--workers", "1")
        begun = half.objects.filter(attempts__gt=0)
        house.wait_for(
            lambda begun=begun, command=command: begun.exists() or command.poll() == 0,
            seconds=90,
        )
        command.kill()
        command.wait()
        house.wait_for(lambda: not house.inhabitants())
    house.run("find_duplicates", "--workers", "1", "--no-progress")
    assert (sets(), pairs()) == clean
