from imagevault.board import Board
from imagevault.watchdog import FETCH_SECONDS, GUARD_SECONDS, Symptoms

QUIET = 20


def diagnoses(board: Board, *moments: float, **changes: float) -> list[str]:
    """What is said at these moments; the board changes before the last."""
    symptoms = Symptoms(quiet=QUIET)
    said = [symptoms.diagnose(board, now) for now in moments[:-1]]
    for name, value in changes.items():
        setattr(board, name, value)
    return [*said, symptoms.diagnose(board, moments[-1])]


def well(**signs: float) -> Board:
    board = Board()
    for name, value in signs.items():
        setattr(board, name, value)
    return board


def test_a_cluster_at_rest_is_well():
    assert diagnoses(well(), 0, GUARD_SECONDS - 1, guarded=1) == ["", ""]


def test_idle_workers_beside_waiting_tasks_are_stuck():
    board = well(waiting=1, idle=1)
    assert diagnoses(board, 0, QUIET, QUIET + 1)[1:] == [
        "",
        "tasks wait and no idle worker takes one",
    ]


def test_a_task_that_begins_proves_the_workers_well():
    assert diagnoses(well(waiting=1, idle=1), 0, QUIET + 1, began=5) == ["", ""]


def test_a_moment_without_waiting_tasks_begins_the_wait_anew():
    board, symptoms = well(waiting=1, idle=1), Symptoms(quiet=QUIET)
    symptoms.diagnose(board, 0)
    board.waiting = 0
    symptoms.diagnose(board, 10)
    board.waiting = 1
    symptoms.diagnose(board, 15)
    assert symptoms.diagnose(board, 15 + QUIET) == ""


def test_busy_workers_may_take_their_time():
    board = well(waiting=1, idle=0)
    assert diagnoses(board, 0, 50, 100, guarded=100) == ["", "", ""]


def test_results_nobody_stores_are_noticed():
    assert diagnoses(well(unsaved=1), 0, GUARD_SECONDS + 1, guarded=1)[1]


def test_a_guard_that_stands_still_is_noticed():
    assert "guard" in diagnoses(well(), 0, GUARD_SECONDS + 1)[1]


def test_a_queue_nobody_reads_is_noticed():
    said = diagnoses(well(), 0, FETCH_SECONDS + 1, guarded=1)
    assert said[1] == "the queue is not read"
