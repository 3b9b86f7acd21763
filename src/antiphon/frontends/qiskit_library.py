"""Qiskit's compiled library is loaded by a thread that does not end.

It crashes the process once the thread that loaded it has ended and others use it (seen with Qiskit 2.6: its memory
allocator takes that thread for the main one). Engines read, compile and run in threads that come and go.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from contextlib import suppress
from functools import cache
from importlib.machinery import PathFinder


@cache
def load_for_good() -> None:
    """Load the library, which takes 2 ms, and nothing else of Qiskit, once in a process.

    Nothing happens where Qiskit is not installed, or was imported before.
    """
    package = None if "qiskit" in sys.modules else PathFinder.find_spec("qiskit")
    library = None if package is None else PathFinder.find_spec(
        "qiskit._accelerate", package.submodule_search_locations
    )  # fmt: skip
    if library is None or library.origin is None:
        return
    path, loaded = library.origin, threading.Event()

    def load_and_stay() -> None:
        # One that cannot be loaded is told of when Qiskit is imported.
        with suppress(OSError):
            ctypes.CDLL(path)
        loaded.set()
        threading.Event().wait()

    threading.Thread(target=load_and_stay, name="antiphon-qiskit", daemon=True).start()
    loaded.wait()
