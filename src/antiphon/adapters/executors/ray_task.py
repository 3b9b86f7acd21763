"""What runs on a Ray worker: one work on the drivers that the process built at its first; bytes in, bytes out."""

from __future__ import annotations

import faulthandler
import os
import time
from collections.abc import Mapping
from pathlib import Path

from antiphon.adapters.executors import failures
from antiphon.adapters.executors.frames import decode, encode
from antiphon.adapters.executors.running import RunWork
from antiphon.domain.results import Execution
from antiphon.errors import AntiphonError
from antiphon.ports.target_driver import TargetDriver

_loaded: dict[bytes, Mapping[str, TargetDriver]] = {}


def run_message(loader: bytes, message: bytes, max_seconds: float) -> bytes:
    """Run an encoded `RunWork`; the answer is an encoded (execution or error, seconds).

    After `max_seconds` the process ends itself, from a thread that needs no interpreter: engines hold it for long.

    Args:
        loader: A function of an importable module that builds the drivers, encoded.
    """
    os.environ.setdefault("QDK_PYTHON_TELEMETRY", "none")
    drivers = _loaded.get(loader)
    if drivers is None:
        drivers = _loaded[loader] = decode(loader)()
    request: RunWork = decode(message)
    begun = time.perf_counter()
    with Path(os.devnull).open("w") as nowhere:
        faulthandler.dump_traceback_later(max_seconds, exit=True, file=nowhere)
        try:
            outcome: Execution | AntiphonError = request.run(drivers, None)
        except (KeyboardInterrupt, SystemExit) as error:
            outcome = request.failed(error)
        finally:
            faulthandler.cancel_dump_traceback_later()
    seconds = time.perf_counter() - begun
    try:
        return encode((outcome, seconds))
    except MemoryError:
        return encode((failures.memory_exhausted(None, "The result did not fit."), seconds))
    except Exception as error:  # noqa: BLE001 - a result that cannot be pickled
        return encode((request.failed(error), seconds))
