"""A real cluster, killed in earnest."""

import os
import shutil
import signal
import socket
import subprocess

import pytest
from django_q.models import Failure, OrmQ, Success

from tests.killers import crash, crash_once, hang, work


def test_every_task_is_done_once(cluster):
    names = [f"task-{number}" for number in range(8)]
    for name in names:
        cluster.do(work, name, 0.2)
    cluster.house.wait_for(lambda: cluster.done(*names))
    assert [len(cluster.began(name)) for name in names] == [1] * 8


def test_what_a_killed_worker_was_at_is_done_by_another(cluster):
    cluster.do(work, "long", 2)
    cluster.house.wait_for(lambda: cluster.began("long"))
    os.kill(cluster.began("long")[0], signal.SIGKILL)
    cluster.house.wait_for(lambda: cluster.done("long"), seconds=10)
    assert len(set(cluster.began("long"))) == 2


def test_killed_idle_workers_do_not_stop_the_cluster(cluster):
    for worker in cluster.status.workers:
        os.kill(worker, signal.SIGKILL)
    cluster.do(work, "after")
    cluster.house.wait_for(lambda: cluster.done("after"), seconds=15)


def test_a_killed_process_that_stores_results_does_not_stop_the_cluster(cluster):
    os.kill(cluster.status.monitor, signal.SIGKILL)
    cluster.do(work, "after")
    cluster.house.wait_for(Success.objects.filter(group=None).exists, seconds=15)


def test_tasks_that_take_their_worker_down_are_given_up(cluster):
    cluster.do(crash, "crash", group="crash")
    cluster.do(hang, "hang", group="hang", timeout=1)
    cluster.do(crash_once, "crash-once")
    cluster.do(work, "innocent")
    cluster.house.wait_for(lambda: Failure.objects.count() == 2)
    assert cluster.done("crash-once", "innocent")
    assert len(cluster.began("crash")) == len(cluster.began("hang")) == 3
    for group in ("crash", "hang"):
        assert "started 3 times" in Failure.objects.get(group=group).result


def test_a_killed_cluster_is_gone_and_the_next_one_goes_on(cluster):
    names = [f"task-{number}" for number in range(6)]
    for name in names:
        cluster.do(work, name, 1)
    cluster.house.wait_for(lambda: cluster.began("task-0"))
    os.kill(cluster.watchdog.pid, signal.SIGKILL)
    cluster.watchdog.wait()
    cluster.house.wait_for(lambda: not cluster.house.inhabitants(), seconds=5)
    assert not cluster.done(*names)
    cluster.start()
    cluster.house.wait_for(lambda: cluster.done(*names), seconds=15)


def test_a_stopped_cluster_leaves_nobody_behind(cluster):
    cluster.do(work, "short", 0.5)
    cluster.house.wait_for(lambda: cluster.began("short"))
    cluster.stop()
    assert cluster.done("short")
    assert cluster.watchdog.returncode == 0
    assert not cluster.house.inhabitants()


def test_a_cluster_that_does_not_stop_is_ended(cluster):
    cluster.do(hang, "hang", timeout=60)
    cluster.house.wait_for(lambda: cluster.began("hang"))
    cluster.stop()
    assert not cluster.house.inhabitants()


def test_a_guard_that_stands_still_is_replaced(cluster):
    first = cluster.status.sentinel
    os.kill(cluster.status.workers[0], signal.SIGSTOP)
    os.kill(cluster.status.workers[1], signal.SIGSTOP)
    cluster.do(work, "after")
    cluster.house.wait_for(lambda: cluster.done("after"), seconds=20)
    assert cluster.status.sentinel != first


def test_an_unreadable_message_stays_in_the_queue(cluster):
    OrmQ.objects.create(key="imagevault", payload="nonsense", lock="2000-01-01T00:00Z")
    cluster.do(work, "after")
    cluster.house.wait_for(lambda: cluster.done("after"))
    cluster.house.wait_for(lambda: OrmQ.objects.count() == 1)
    assert OrmQ.objects.get().payload == "nonsense"
    cluster.house.wait_for(lambda: "cannot be read" in cluster.house.said())


def test_two_clusters_share_a_queue(cluster):
    cluster.start()
    names = [f"task-{number}" for number in range(16)]
    for name in names:
        cluster.do(work, name, 0.4)
    cluster.house.wait_for(lambda: cluster.done(*names))
    assert [len(cluster.began(name)) for name in names] == [1] * 16
    # One cluster has two workers.
    assert len({cluster.began(name)[0] for name in names}) > 2


@pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server")
def test_without_redis_it_waits_with_a_sentence_and_goes_on_with_it(house, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"redis://:secret@127.0.0.1:{port}/0"
    watchdog = house.start("qcluster", IMAGEVAULT_BROKER_URL=address)
    house.wait_for(lambda: "Redis does not answer" in house.said())
    assert len(house.said().splitlines()) == 1

    def start():
        options = ["--requirepass", "secret", "--save", "", "--dir", tmp_path]
        return subprocess.Popen(
            ["redis-server", "--port", str(port), *options], stdout=subprocess.DEVNULL
        )

    for times in (1, 2):
        with start() as server:
            house.wait_for(
                lambda times=times: house.said().count("is back, and") == times
            )
            server.terminate()
        if times == 1:
            house.wait_for(lambda: house.said().count("does not answer") == 2)
    watchdog.terminate()
    assert watchdog.wait(timeout=30) == 0
    assert "secret" not in house.said()
