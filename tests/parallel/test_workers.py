"""Workers: each model for one thread at a time, results in order, errors by row."""

import copy
import os
import pickle
import threading

import pytest

from imle_core.parallel import Workers, cpus


class Model:
    """A worker that notices when two threads use it at once."""

    made = 0

    def __init__(self):
        self.busy = False
        type(self).made += 1

    def double(self, row):
        assert not self.busy
        self.busy = True
        threading.Event().wait(0.001)
        self.busy = False
        return 2 * row


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
def test_results_are_in_the_order_of_the_rows_whatever_the_number_of_threads(threads):
    assert Workers(Model, threads).map(Model.double, list(range(40))) == [2 * row for row in range(40)]


def test_workers_are_kept_for_the_next_batch_and_never_more_than_threads():
    Model.made = 0
    workers = Workers(Model, 2)
    for _ in range(5):
        workers.map(Model.double, [1, 2, 3, 4])
    assert 1 <= Model.made <= min(2, max(2, cpus()))


def test_no_rows_make_no_worker():
    Model.made = 0
    assert Workers(Model).map(Model.double, []) == []
    assert Model.made == 0


def test_the_error_of_the_first_row_is_raised():
    def fail(worker, row):
        if row >= 3:
            raise ValueError(f"row {row}")
        return row

    for _ in range(20):
        with pytest.raises(ValueError, match="row 3"):
            Workers(Model, 2).map(fail, list(range(30)))


def test_a_worker_whose_function_raised_is_not_used_again():
    seen = []

    def note(worker, row):
        seen.append(worker)
        if row == 1:
            raise RuntimeError

    workers = Workers(Model, 1)
    with pytest.raises(RuntimeError):
        workers.map(note, [0, 1])
    workers.map(note, [2])
    assert seen[0] is seen[1]
    assert seen[2] is not seen[0]


def test_an_interrupt_propagates():
    def interrupt(worker, row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Workers(Model, 2).map(interrupt, [0, 1, 2])


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda workers: pickle.loads(pickle.dumps(workers))])
def test_copies_make_workers_of_their_own(clone):
    workers = Workers(Model, 1)
    seen = []
    workers.map(lambda worker, row: seen.append(worker), [0])
    clone(workers).map(lambda worker, row: seen.append(worker), [0])
    assert seen[0] is not seen[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_makes_workers_of_its_own():
    workers = Workers(Model, 2)
    workers.map(Model.double, [1, 2, 3])
    child = os.fork()
    if child == 0:
        os._exit(0 if workers.map(Model.double, [1, 2, 3]) == [2, 4, 6] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
