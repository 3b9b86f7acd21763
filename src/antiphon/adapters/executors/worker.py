"""The worker process: started by `worker_process`, it loads what requests need once and answers one after another.

It listens on what was its standard input and answers on what was its standard output; both are replaced first, so that
no engine can read the one or print into the other.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import io
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

from antiphon.adapters.executors import failures
from antiphon.adapters.executors.frames import decode, encode, read_frame, write_frame
from antiphon.errors import AntiphonError

if sys.platform != "win32":
    import resource

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message to a worker. `loader` is a pickled function, by name; unpickling it imports its module."""

    parent: int
    loader: bytes
    preload: tuple[str, ...]
    memory_bytes: int | None


class Request(Protocol):
    """Every further message: a value of an importable class that can be pickled."""

    def run(self, loaded: Any, memory_limit: int | None) -> object:
        """The answer, made in the worker from what its loader returned; an `AntiphonError` is an answer too."""
        ...

    def failed(self, error: BaseException) -> AntiphonError:
        """What to answer when `run` raised `error`, or its answer could not be pickled."""
        ...


def main() -> NoReturn:
    """Serve the process at the other end of standard input until it closes the pipe; never returns."""
    _ignore_signals_meant_for_the_parent()
    requests, replies = _take_standard_streams()
    with suppress(EOFError, OSError):
        _serve(requests, replies)
    # No finalisation: engines with threads of their own may hang or crash in it, and nothing here needs it.
    os._exit(0)


def _serve(requests: io.RawIOBase, replies: io.RawIOBase) -> None:
    setup: Setup = decode(read_frame(requests))
    _die_with_parent(setup.parent)
    try:
        loaded = _load(setup)
    except AntiphonError as error:
        write_frame(replies, encode(error))
        return
    except BaseException as error:  # noqa: BLE001 - whatever an import raises has to be told to the parent
        cause = f"Loading failed with {type(error).__name__}: {error}"
        write_frame(replies, encode(failures.worker_not_started(cause)))
        return
    reader = _Reader(requests)
    reader.start()
    _limit_memory(setup.memory_bytes)
    write_frame(replies, encode(None))
    while True:
        write_frame(replies, _answer(loaded, reader.next(), setup.memory_bytes))


class _Reader:
    """Reads requests in a thread of its own, so that one that comes while another runs is here when its turn comes.

    It is decoded only then: engines give the interpreter up at every call, and would wait for a thread that decodes.
    """

    def __init__(self, requests: io.RawIOBase) -> None:
        self._requests = requests
        self._read: queue.SimpleQueue[bytearray | Exception] = queue.SimpleQueue()
        self._allocated = threading.Event()

    def start(self) -> None:
        """Begin to read; returns once the thread has the memory that the allocator gives to every thread."""
        threading.Thread(target=self._run, name="antiphon-reader", daemon=True).start()
        # Otherwise the limit on memory, which counts address space, would pay for it.
        self._allocated.wait()

    def next(self) -> bytearray | MemoryError:
        """The next message, or that there was no memory for it.

        Raises:
            EOFError, OSError: The parent is gone.
        """
        message = self._read.get()
        if isinstance(message, (bytearray, MemoryError)):
            return message
        raise message

    def _run(self) -> None:
        bytearray(4_096)
        self._allocated.set()
        while True:
            try:
                self._read.put(read_frame(self._requests))
            except (EOFError, OSError, MemoryError) as error:
                # After a MemoryError the rest of the message is in the pipe: nothing after it can be read.
                self._read.put(error)
                if isinstance(error, MemoryError):
                    self._read.put(EOFError())
                return


def _answer(loaded: object, message: bytearray | MemoryError, memory_limit: int | None) -> bytes:
    if isinstance(message, MemoryError):
        return encode(failures.memory_exhausted(memory_limit, str(message) or "MemoryError"))
    try:
        request: Request = decode(message)
    except MemoryError as error:
        return encode(failures.memory_exhausted(memory_limit, str(error) or "MemoryError"))
    del message
    try:
        return encode(request.run(loaded, memory_limit))
    except MemoryError:
        return encode(failures.memory_exhausted(memory_limit, "The result did not fit."))
    except BaseException as error:  # noqa: BLE001 - sys.exit() in an engine, or an answer that cannot be pickled
        return encode(request.failed(error))


def _load(setup: Setup) -> object:
    for module in setup.preload:
        # A list of what is worth importing early names optional packages; what needs one will say so.
        with suppress(ModuleNotFoundError):
            importlib.import_module(module)
    load: Callable[[], object] = decode(setup.loader)
    return load()


def _take_standard_streams() -> tuple[io.RawIOBase, io.RawIOBase]:
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    faulthandler.enable()
    return requests, replies


def _ignore_signals_meant_for_the_parent() -> None:
    # Ctrl-C detaches or ends the parent, and a service manager sends SIGTERM to every process of the service at once:
    # in both cases the parent decides what becomes of running tasks, and kills its workers with SIGKILL.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _die_with_parent(parent: int) -> None:
    """An idle worker sees the pipe close; a busy one has to be killed by the kernel, or by a thread elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    elif sys.platform != "win32":
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()
    if sys.platform != "win32" and os.getppid() != parent:
        os._exit(0)


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def _limit_memory(memory_bytes: int | None) -> None:
    """Limit what tasks may add to the address space the process has now, and leave no core files."""
    if sys.platform != "win32":
        _lower(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux" and memory_bytes is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + memory_bytes)


if sys.platform != "win32":

    def _lower(kind: int, value: int) -> None:
        soft, hard = resource.getrlimit(kind)
        bounds = [bound for bound in (soft, hard, value) if bound != resource.RLIM_INFINITY]
        resource.setrlimit(kind, (min(bounds), hard))
