"""Real drivers that do what engines do at their worst; a worker process imports this module by its name."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from antiphon.domain.programs import Profile
from antiphon.domain.results import Execution, Sampled
from antiphon.domain.targets import Limits, TargetInfo
from antiphon.domain.work import Plan, Work
from antiphon.errors import ExecutionError, LimitError

loads = 0


class PanicError(BaseException):
    """As pyo3's PanicException: not an Exception."""


class Unpicklable:
    """A result that cannot go home."""

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("cannot pickle this result")


class HomelessError(Exception):
    """Pickles, and cannot be rebuilt."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} {second}")


class Answer:
    """Pickles in the worker, and cannot be unpickled in the parent."""

    def __reduce__(self) -> tuple[Any, ...]:
        return HomelessError, (1,)


def mark(path: str, content: str = "") -> None:
    partial = Path(f"{path}.part")
    partial.write_text(content)
    partial.rename(path)


def hold(path: str) -> None:
    """Busy for a minute in a way that leaves the interpreter free."""
    mark(path, str(os.getpid()))
    time.sleep(60)


def hold_the_interpreter(path: str) -> None:
    """Busy for minutes inside C, as engines are: no signal handler, no other thread runs."""
    mark(path, str(os.getpid()))
    sum(itertools.repeat(1, 10**12))


def spawn_child(path: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    mark(path, str(child.pid))
    time.sleep(60)


def wait_for(path: str) -> None:
    until = time.monotonic() + 30
    while not Path(path).exists():
        assert time.monotonic() < until
        time.sleep(0.002)


def meet(begun: str, go_on: str) -> None:
    mark(begun, str(os.getpid()))
    wait_for(go_on)


def segfault() -> None:
    ctypes.string_at(1)


def allocate(num_bytes: int) -> None:
    import numpy as np  # here, so that the many workers of the tests start quickly

    np.ones(num_bytes // 8)


def bad_alloc() -> None:
    """What the C++ run time does when nobody catches std::bad_alloc."""
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n")
    os.abort()


def fail(kind: str, text: str) -> None:
    kinds: dict[str, type[BaseException]] = {
        "ValueError": ValueError,
        "PanicError": PanicError,
        "MemoryError": MemoryError,
        "SystemExit": SystemExit,
        "KeyboardInterrupt": KeyboardInterrupt,
    }
    raise kinds[kind](text)


def refuse() -> None:
    raise LimitError("Too wide.", cause="40 qubits", next_step="Use 30.", code="too-wide", details={"limit": 30})


def write(text: str) -> None:
    print(text, flush=True)
    os.write(1, text.encode())
    os.write(2, text.encode())


def chatter(num_bytes: int) -> None:
    for _ in range(num_bytes // 1000):
        os.write(2, b"x" * 1000)


ACTIONS: dict[str, Callable[..., None]] = {
    "sleep": time.sleep,
    "hold": hold,
    "hold-the-interpreter": hold_the_interpreter,
    "spawn-child": spawn_child,
    "wait-for": wait_for,
    "meet": meet,
    "abort": os.abort,
    "segfault": segfault,
    "exit": os._exit,
    "kill-itself": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "allocate": allocate,
    "bad-alloc": bad_alloc,
    "fail": fail,
    "refuse": refuse,
    "write": write,
    "chatter": chatter,
    "none": lambda: None,
}


class Driver:
    """Does what the options say: `do`, an action, and `with`, its arguments; returns facts about its process."""

    info = TargetInfo("test.driver", "test", "simulator", "1", Profile.BASE, Limits(max_qubits=1))

    def __init__(self) -> None:
        self._executed = 0

    def plan(self, work: Work) -> Plan:  # noqa: ARG002 - the port's signature
        return Plan(("testing",), ("there is no other",), 0.0, 0, safe_inline=True)

    def execute(self, work: Work, plan: Plan) -> Execution:  # noqa: ARG002 - the port's signature
        self._executed += 1
        ACTIONS[work.options.get("do", "none")](*work.options.get("with", ()))
        if work.options.get("returns") == "unpicklable":
            return Execution((), {"value": Unpicklable()})
        if work.options.get("returns") == "not-rebuilt":
            return Execution((), {"value": Answer()})
        counts = {"0" * 8: work.options.get("shots", 1)}
        return Execution(
            (Sampled((), (counts,), work.options.get("shots", 1)),),
            {
                "pid": os.getpid(),
                "executed": self._executed,
                "loads": loads,
                "payload": b"\x07" * work.options.get("payload", 0),
                "environment": {name: os.environ.get(name) for name in work.options.get("environment", ())},
                "modules": [name for name in work.options.get("modules", ()) if name in sys.modules],
                "stdin": sys.stdin.read() if work.options.get("read") else None,
            },
        )


def load_drivers() -> Mapping[str, Driver]:
    global loads
    loads += 1
    return {"test.driver": Driver()}


def load_slowly(path: str) -> Mapping[str, Driver]:
    mark(path, str(os.getpid()))
    time.sleep(60)
    return load_drivers()


def load_with_error() -> Mapping[str, Driver]:
    raise RuntimeError("the calibration file is missing")


def load_with_own_error() -> Mapping[str, Driver]:
    raise ExecutionError("No licence.", code="no-licence")


def load_and_die() -> Mapping[str, Driver]:
    os._exit(7)


def load_when_allowed(path: str) -> Mapping[str, Driver]:
    if not Path(path).exists():
        raise RuntimeError("not yet")
    return load_drivers()
