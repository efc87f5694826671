import pytest
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from imagevault import queue
from tests.killers import feed_nothing, work

FEEDERS = "tests.imagevault.test_queue"
asked: list[int] = []


def feed_one(room: int) -> int:
    asked.append(room)
    queue.enqueue(feed_nothing, [1])
    return 1


@pytest.fixture
def database_queue(db, settings, monkeypatch):
    asked.clear()
    queue.excused_until.clear()
    settings.IMAGEVAULT_FEEDERS = []
    monkeypatch.setattr("django_q.conf.Conf.POLL", 0)
    monkeypatch.setattr(
        "django_q.conf.Conf.BROKER_CLASS", "imagevault.queue.DatabaseQueue"
    )
    return queue.DatabaseQueue()


def names(messages) -> list[list[int]]:
    return [list(SignedPackage.loads(payload)["args"][0]) for _, payload in messages]


def test_first_in_is_first_out(database_queue):
    for number in range(3):
        queue.enqueue(work, [number])
    fetched = [names(database_queue.dequeue()) for _ in range(3)]
    assert fetched == [[[0]], [[1]], [[2]]]


def test_a_claimed_message_is_not_handed_out_again(database_queue):
    queue.enqueue(work, [1])
    database_queue.dequeue()
    assert database_queue.dequeue() == []


def test_a_released_message_is_handed_out_again(database_queue):
    queue.enqueue(work, [1])
    [(message, _)] = database_queue.dequeue()
    database_queue.release(message)
    assert len(database_queue.dequeue()) == 1


def test_a_message_another_has_claimed_since_is_left_alone(database_queue):
    queue.enqueue(work, [1])
    row = OrmQ.objects.get()
    assert database_queue.claim(row)
    assert not database_queue.claim(row)


def test_starts_are_counted_in_the_message(database_queue):
    queue.enqueue(work, [1])
    message = OrmQ.objects.get().pk
    queue.count_start(message)
    queue.count_start(message)
    assert queue.read(OrmQ.objects.get())["starts"] == 2


def test_an_empty_queue_asks_the_feeders(database_queue, settings):
    settings.IMAGEVAULT_FEEDERS = [f"{FEEDERS}.feed_one"]
    assert database_queue.dequeue() == []
    assert asked == [queue.room()]
    assert len(database_queue.dequeue()) == 1


def test_feeders_with_nothing_are_not_asked_again_at_once(database_queue, settings):
    settings.IMAGEVAULT_FEEDERS = ["tests.killers.feed_nothing"]
    database_queue.dequeue()
    settings.IMAGEVAULT_FEEDERS = [f"{FEEDERS}.feed_one"]
    database_queue.dequeue()
    assert not asked


def test_a_feeder_that_fails_does_not_stop_the_others(database_queue, settings, caplog):
    settings.IMAGEVAULT_FEEDERS = ["tests.killers.feed_badly", f"{FEEDERS}.feed_one"]
    assert queue.feed() == queue.feed() == 1
    assert len([r for r in caplog.records if "feed_badly" in r.message]) == 1


def test_the_second_feeder_gets_the_room_the_first_leaves(database_queue, settings):
    settings.IMAGEVAULT_FEEDERS = [f"{FEEDERS}.feed_one"] * 2
    queue.feed()
    assert asked == [queue.room(), queue.room() - 1]
