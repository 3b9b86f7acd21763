"""One process of a vendor: started when first asked, restarted when it died, asked by many threads at a time.

What a caller must know of a failure is whether its request can have had an effect. A request counts as gone once its
last byte, the newline, is in the pipe: until then the process does not read it as one.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from antiphon.adapters.targets.vendors.wire import ANSWER_S, PROTOCOL, STARTING_S, Json, error_of
from antiphon.errors import AntiphonError
from antiphon.ports.provider import AnswerLostError, TransientProviderError

PROCESSES = Path(__file__).parent / "processes"
"""The one folder on the path of a vendor's process; nothing of Antiphon's own lies in it."""

MOST_STARTS = 5
WITHIN_S = 300.0
LARGEST_LOG = 2**20
LARGEST_LINE = 2**26
"""A process that says more at once is out of order; all of it would have to be kept until its end."""
SILENT = 3
"""So many questions in a row that got no answer in time, and the process is taken to hang."""

log = logging.getLogger("antiphon.vendors")


@dataclass(frozen=True, slots=True)
class Launch:
    """How a vendor's process is started.

    Attributes:
        vendor: Its name.
        python: The interpreter of its environment.
        settings: What its section of the settings says.
        secrets: Reads its secrets, at each start anew; they go over the pipe and nowhere else.
        stderr: Where what it prints goes; None is this process's stderr.
        path: Where its modules are found, beside its environment.
    """

    vendor: str
    python: Path
    settings: Mapping[str, Any]
    secrets: Callable[[], Mapping[str, str]] = field(repr=False)
    stderr: Path | None = None
    path: tuple[Path, ...] = (PROCESSES,)


class VendorProcess:
    """Answers calls with what the vendor's process says."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._starts: deque[float] = deque(maxlen=MOST_STARTS)
        self._silent = 0
        self._closed = threading.Event()
        self._hello: Json = {}

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        running = self._running
        return None if running is None or not running.is_alive else running.pid

    def hello(self) -> Json:
        """What the vendor said when the process started; starts it if it does not run.

        Raises:
            TransientProviderError, RefusedByProviderError: It cannot be started, or says no.
        """
        self._alive()
        return self._hello

    def call(self, call: str, *, timeout: float = ANSWER_S, **given: Any) -> Json:
        """Ask, and wait for the answer for at most `timeout` seconds.

        A `send` that starts the process first has so much less, and is never begun later than that.

        Raises:
            TransientProviderError: Nothing was asked, or the question got no answer and is no `send`.
            RefusedByProviderError: As the vendor says.
            AnswerLostError: It is a `send`, and the process died or was silent after it had it. It does not run any
                more then: nothing leaves after that.
            NotImplementedError: The vendor cannot answer that.
        """
        give_up = time.monotonic() + timeout
        running = self._alive()
        if call == "send":
            timeout = give_up - time.monotonic()
            if timeout <= 0:
                raise TransientProviderError(f"The process of {self._launch.vendor} took too long to start.")
            given["not_after"] = time.time() + timeout
        try:
            answer = running.ask(call, given, timeout)
        except _NeverAskedError as error:
            running.kill()
            raise TransientProviderError(
                f"The process of {self._launch.vendor} cannot be asked.", cause=str(error)
            ) from None
        except (_DiedError, FutureTimeoutError) as error:
            raise self._lost(running, call, error) from None
        self._silent = 0
        if "error" in answer:
            raise error_of(self._launch.vendor, answer["error"])
        found: Json = answer["ok"]
        return found

    def close(self) -> None:
        """End the process; no call follows."""
        # Without the lock, which is held for as long as a process takes to say hello.
        self._closed.set()
        running = self._running
        if running is not None:
            running.kill()

    def _lost(self, running: _Running, call: str, error: Exception) -> AntiphonError:
        died = isinstance(error, _DiedError)
        what = "died" if died else "did not answer in time"
        self._silent += 0 if died else 1
        if call == "send" or self._silent >= SILENT:
            running.kill()  # what hangs may wake up, and must not send then
        told = f"The process of {self._launch.vendor} {what}."
        cause = str(error) or f"it was asked {call}"
        if call == "send":
            return AnswerLostError(told, cause=cause)
        return TransientProviderError(told, cause=cause)

    def _alive(self) -> _Running:
        with self._lock:
            if self._running is not None and self._running.is_alive:
                return self._running
            if self._closed.is_set():
                raise TransientProviderError(f"The process of {self._launch.vendor} is closed.")
            self._check_starts()
            running = _start(self._launch)
            self._running, self._silent = running, 0
            if self._closed.is_set():
                running.kill()
            try:
                self._hello = self._greet(running)
            except BaseException:
                running.kill()
                raise
            return running

    def _check_starts(self) -> None:
        now = time.monotonic()
        if len(self._starts) == MOST_STARTS and now - self._starts[0] < WITHIN_S:
            raise TransientProviderError(
                f"The process of {self._launch.vendor} ended {MOST_STARTS} times within {WITHIN_S:g} s.",
                next_step=f"See why with `antiphon providers check {self._launch.vendor}`.",
                details={"retry_after_s": WITHIN_S - (now - self._starts[0])},
            )
        self._starts.append(now)

    def _greet(self, running: _Running) -> Json:
        vendor = self._launch.vendor
        try:
            secrets = dict(self._launch.secrets())
        except AntiphonError as error:
            told = f"The secrets of {vendor} cannot be had."
            raise TransientProviderError(told, cause=str(error), next_step=error.next_step) from None
        given = {"protocol": PROTOCOL, "settings": dict(self._launch.settings), "secrets": secrets}
        try:
            answer = running.ask("hello", given, STARTING_S)
        except (_NeverAskedError, _DiedError, FutureTimeoutError) as error:
            told = f"The process of {vendor} does not say hello."
            next_step = f"See why with `antiphon providers check {vendor}`."
            raise TransientProviderError(told, cause=str(error), next_step=next_step) from None
        if "error" in answer:
            raise error_of(vendor, answer["error"])
        found: Json = answer["ok"]
        return found


class _NeverAskedError(Exception):
    """The request is not in the process's hands."""


class _DiedError(Exception):
    """The process ended with the request."""


class _Running:
    """A process that was started, and the requests that wait for it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._writing = threading.Lock()
        self._waiting: dict[int, Future[Json]] = {}
        self._number = 0
        self._ended = False
        assert process.stdin is not None
        self._stdin = process.stdin.fileno()
        os.set_blocking(self._stdin, False)
        threading.Thread(target=self._read, name=f"vendor-{process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return not self._ended and self._process.poll() is None

    def ask(self, call: str, given: Mapping[str, Any], timeout: float) -> Json:
        give_up = time.monotonic() + timeout
        future: Future[Json] = Future()
        with self._writing:
            if self._ended:
                raise _NeverAskedError("it has ended")
            self._number += 1
            number = self._number
            self._waiting[number] = future
            try:
                self._write(json.dumps({"id": number, "call": call, **given}).encode() + b"\n", give_up)
            except _NeverAskedError:
                self._waiting.pop(number, None)
                raise
        try:
            return future.result(max(0.0, give_up - time.monotonic()))
        finally:
            self._waiting.pop(number, None)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self._ended = True

    def _write(self, line: bytes, give_up: float) -> None:
        left = memoryview(line)
        while left:
            _, ready, _ = select.select([], [self._stdin], [], max(0.0, give_up - time.monotonic()))
            if not ready:
                self.kill()  # half a line is in the pipe
                raise _NeverAskedError("it does not read")
            try:
                left = left[os.write(self._stdin, left) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _NeverAskedError(f"it does not read: {error.strerror}") from None

    def _read(self) -> None:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline(LARGEST_LINE):
            try:
                answer = _answer(line)
                waiting = self._waiting.pop(answer["id"], None)
            except (ValueError, LookupError, TypeError, RecursionError):
                log.warning("a vendor's process answered with what is no answer: %.200r", line[:400])
                break
            if waiting is not None:
                waiting.set_result(answer)
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        code = self._process.wait()
        with self._writing:
            self._ended = True
            left = list(self._waiting.values())
            self._waiting.clear()
        for future in left:
            if not future.done():
                future.set_exception(_DiedError(f"it ended with {code}"))
        self._process.stdout.close()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


def _answer(line: bytes) -> Json:
    """The answer in a line; raises what has no place in one."""
    found: Json = json.loads(line)
    if not isinstance(found["error" if "error" in found else "ok"], dict):
        raise TypeError(line[:80])
    return found


def _start(launch: Launch) -> _Running:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANTIPHON_", "VAULT_", "PYTHON"))
    }
    environ |= {
        "PYTHONPATH": os.pathsep.join(map(str, launch.path)),
        "QDK_PYTHON_TELEMETRY": "none",
        "USAGE_DATA_OPT_OUT": "True",
    }
    try:
        with contextlib.ExitStack() as stack:
            errors = None if launch.stderr is None else stack.enter_context(_log_file(launch.stderr))
            process = subprocess.Popen(  # noqa: S603 - the interpreter of an environment of ours
                [str(launch.python), "-m", "vendor_process", launch.vendor],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environ,
                start_new_session=True,  # Ctrl-C is for Antiphon, which then ends it
            )
    except OSError as error:
        raise TransientProviderError(
            f"The process of {launch.vendor} cannot be started.",
            cause=str(error),
            next_step=f"Make its environment with `antiphon providers install {launch.vendor}`.",
        ) from None
    log.debug("started the process of %s: %d", launch.vendor, process.pid)
    return _Running(process)


def _log_file(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    grown = path.exists() and path.stat().st_size > LARGEST_LOG
    return path.open("wb" if grown else "ab")
