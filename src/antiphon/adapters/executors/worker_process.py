"""One worker process as its parent sees it: start, ask, kill, and read how it ended."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from antiphon.adapters.executors.frames import decode, encode, read_frame, write_frame

# argv carries the parent's import path, so that a worker finds whatever the parent could import, however it got there.
_BOOT = "import sys; sys.path[:] = sys.argv[1:]; from antiphon.adapters.executors.worker import main; main()"

_ENVIRONMENT = {
    **dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "VECLIB_MAXIMUM_THREADS",
            "NUMEXPR_NUM_THREADS",
            "RAYON_NUM_THREADS",
        ),
        "1",
    ),
    "QISKIT_PARALLEL": "FALSE",
    "QDK_PYTHON_TELEMETRY": "none",
}
_TAIL_BYTES = 8_192
_GRACE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Death:
    """How a worker ended: exit code, negative for a signal, and the last bytes on its standard error."""

    status: int
    printed: bytes


class WorkerProcess:
    """A child process that runs `worker.main`; starts at once, and is not ready before the first answer.

    Its environment is the parent's, with one thread for each numerical library unless the parent's says otherwise. It
    leads a process group of its own: Ctrl-C in the terminal does not reach it, and `kill` reaches its children.

    `kill` may be called from any thread; everything else by the one that made it, whose end would also end the process
    (Linux ties a child's death signal to the parent's thread).
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, on our own module
            [sys.executable, "-c", _BOOT, *(str(entry) or str(Path.cwd()) for entry in sys.path)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT | dict(os.environ),
            process_group=0,
        )
        self._requests = cast("io.RawIOBase", self._process.stdin)
        self._replies = cast("io.RawIOBase", self._process.stdout)
        self._lock = threading.Lock()
        self._reaped = False
        self._printed = b""
        self._listener = threading.Thread(target=self._listen, name="antiphon-worker-stderr", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """False once the process has ended, for whatever reason."""
        with self._lock:
            if not self._reaped and self._process.poll() is not None:
                self._kill_group()
                self._reaped = True
            return not self._reaped

    def send(self, message: object) -> None:
        """Send one object.

        Raises:
            OSError: The process has ended.
            Exception: Whatever pickling raises; nothing was sent then.
        """
        write_frame(self._requests, encode(message))

    def receive(self) -> object:
        """Wait for the next object.

        Raises:
            EOFError: The process has ended, by itself or by `kill`.
            Exception: Whatever unpickling raises; the message is consumed.
        """
        return decode(read_frame(self._replies))

    def kill(self) -> None:
        """End the process and its children at once; harmless if it has ended."""
        with self._lock:
            if not self._reaped:
                self._kill_group()

    def reap(self) -> Death:
        """Wait for the end of a process that has closed its pipe or was killed, and free what it held; repeatable."""
        with self._lock:
            if not self._reaped:
                # The pipe closes a moment before the exit status is there; killing now would replace it.
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_GRACE_SECONDS)
                self._kill_group()
                self._process.wait()
                self._reaped = True
        self._requests.close()
        self._replies.close()
        self._listener.join(_GRACE_SECONDS)
        return Death(self._process.returncode, self._printed)

    def _kill_group(self) -> None:
        # Children of the worker are in its group and may outlive it. PermissionError is macOS's word for a zombie.
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _listen(self) -> None:
        # Someone has to read: a worker whose standard error is full would stop for ever.
        with cast("io.RawIOBase", self._process.stderr) as stream:
            while chunk := stream.read(_TAIL_BYTES):
                self._printed = (self._printed + chunk)[-_TAIL_BYTES:]
