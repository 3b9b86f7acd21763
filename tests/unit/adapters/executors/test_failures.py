import signal

import pytest

from antiphon.adapters.executors import failures


@pytest.mark.parametrize(
    ("status", "printed", "expected"),
    [
        (-signal.SIGABRT, b"what():  std::bad_alloc", "worker-memory"),
        (-signal.SIGABRT, b"memory allocation of 1099511627776 bytes failed", "worker-memory"),
        (1, b"MemoryError", "worker-memory"),
        (-signal.SIGABRT, b"assertion failed", "worker-crashed"),
        (-signal.SIGKILL, b"std::bad_alloc", "worker-crashed"),
        (-64, b"", "worker-crashed"),
        (3, b"", "worker-crashed"),
    ],
)
def test_what_a_worker_printed_tells_memory_from_a_crash(status: int, printed: bytes, expected: str) -> None:
    assert failures.worker_died(status, printed, 2**30).code == expected


def test_a_signal_without_a_name_is_a_number() -> None:
    assert "signal 45" in failures.worker_died(-45, b"", None).message


def test_every_way_to_end_says_what_to_do_next() -> None:
    errors = [
        failures.memory_exhausted(None, "found"),
        failures.time_exhausted(1.5),
        failures.worker_died(-signal.SIGSEGV, b"\xff", None),
        failures.worker_not_started("cause"),
        failures.task_cancelled(),
        failures.task_interrupted(KeyboardInterrupt()),
        failures.executor_closed("inline"),
        failures.task_already_started("task-1"),
        failures.target_unknown("sim.none", []),
    ]
    assert all(error.next_step for error in errors)
    assert len({error.code for error in errors}) == len(errors)
