"""The vendor's half of the protocol: requests as lines of JSON on stdin, answers on stdout, everything else on stderr.

A request is `{"id": 7, "call": "look", …}`; its answer `{"id": 7, "ok": {…}}` or `{"id": 7, "error": {"class": …,
"message": …}}`. Requests run side by side in threads, so answers come in any order. When stdin ends, the process ends.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

PROTOCOL = 1
THREADS = 8
LONGEST_MESSAGE = 2_000

Json = dict[str, Any]


class VendorError(Exception):
    """What an answer says instead of a result; `kind` decides what Antiphon makes of it."""

    kind = "refused"

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RefusedError(VendorError):
    """No, for a reason that stays: of a `send`, that nothing was taken; of the others, that there is no such job."""


class TransientError(VendorError):
    """Nothing was taken or done, and the same may succeed later."""

    kind = "transient"


class AmbiguousError(VendorError):
    """It may have been taken or not."""

    kind = "ambiguous"


class CannotTellError(VendorError):
    """This vendor has no way to answer that question."""

    kind = "unsupported"


@dataclass(frozen=True)
class VendorJob:
    """A job as its vendor tells it; `state` is queued, running, succeeded, failed or cancelled."""

    id: str
    state: str
    key: str | None = None
    error: str = ""
    cost: Sequence[Mapping[str, Any]] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class Request:
    """What `send` is given: programs in one of the device's formats, each with its shots.

    A program is `{"format": "openqasm3", "text": …, "bits": [qubit measured into each bit] or null, "shots": n, "seed":
    n}` or `{"format": "qir", "base64": …, "entry_point": …, "shots": n, "seed": n}`.
    """

    key: str
    device: str
    programs: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any] = field(default_factory=dict)


class Vendor(Protocol):
    """What each vendor's `provider.py` makes of its SDK. Calls come from several threads."""

    def hello(self) -> Json: ...

    def send(self, request: Request) -> VendorJob: ...

    def find(self, key: str, since: float) -> VendorJob | None: ...

    def look(self, job_id: str) -> VendorJob: ...

    def fetch(self, job_id: str) -> Json: ...

    def cancel(self, job_id: str) -> None: ...

    def calibration(self, device: str) -> Json | None: ...


@runtime_checkable
class Compiler(Vendor, Protocol):
    """A vendor whose SDK compiles here, so that it can tell what a program becomes before it is sent."""

    def compile(self, device: str, program: Mapping[str, Any], options: Mapping[str, Any]) -> Json: ...


Connect = Callable[[Mapping[str, Any], Mapping[str, str]], Vendor]
"""Makes a vendor of its settings and its secrets."""


SHORTEST_SECRET = 6
"""Shorter ones would be found in other words."""


class _Connection:
    """The vendor once it said hello, and the stream that answers go to."""

    def __init__(self, connect: Connect) -> None:
        # SDKs print. What they print must not come between the answers.
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self._writing = threading.Lock()
        self._greeting = threading.Lock()
        self._connect = connect
        self._vendor: Vendor | None = None
        self._secrets: tuple[str, ...] = ()

    def answer(self, line: str) -> None:
        """Do what one line asks and write the answer."""
        request = json.loads(line)
        call = request.pop("call")
        number = request.pop("id")
        try:
            answer: Json = {"id": number, "ok": self._do(call, request)}
        except VendorError as error:
            answer = {"id": number, "error": _told(error.kind, str(error), error.retry_after_s)}
        except Exception as error:  # whatever an SDK raises is an answer, too
            kind = "ambiguous" if call == "send" else "transient"
            answer = {"id": number, "error": _told(kind, f"{type(error).__name__}: {error}", None)}
        try:
            text = json.dumps(answer, allow_nan=False, default=str)
        except (TypeError, ValueError, RecursionError) as error:
            text = json.dumps({"id": number, "error": _told("ambiguous", f"{type(error).__name__}: {error}", None)})
        for secret in self._secrets:  # SDKs put whole requests into their errors
            text = text.replace(json.dumps(secret)[1:-1], "***")
        with self._writing:
            self._out.write(text + "\n")
            self._out.flush()

    def _do(self, call: str, given: Json) -> Any:
        if call == "hello":
            return self._hello(given)
        vendor = self._vendor
        if vendor is None:
            raise TransientError("hello comes first")
        match call:
            case "send":
                if time.time() > given.pop("not_after"):
                    raise TransientError("this process stood still: the time to send has passed")
                return vars(vendor.send(Request(**given)))
            case "find":
                found = vendor.find(given["key"], given["since"])
                return {"job": None if found is None else vars(found)}
            case "look":
                return vars(vendor.look(given["job"]))
            case "fetch":
                return vendor.fetch(given["job"])
            case "cancel":
                vendor.cancel(given["job"])
                return {}
            case "calibration":
                return {"calibration": vendor.calibration(given["device"])}
            case "compile":
                if not isinstance(vendor, Compiler):
                    raise CannotTellError("this vendor compiles where it runs")
                return vendor.compile(given["device"], given["program"], given["options"])
        raise CannotTellError(f"there is no call {call!r} in protocol {PROTOCOL}")

    def _hello(self, given: Json) -> Json:
        if given.get("protocol") != PROTOCOL:
            raise RefusedError(f"this side speaks protocol {PROTOCOL}, the other {given.get('protocol')}")
        with self._greeting:
            if self._vendor is None:
                secrets = given.get("secrets") or {}
                self._secrets = tuple(each for each in secrets.values() if len(each) >= SHORTEST_SECRET)
                self._vendor = self._connect(given.get("settings") or {}, secrets)
            return {"protocol": PROTOCOL, **self._vendor.hello()}


def _told(kind: str, message: str, retry_after_s: float | None) -> Json:
    told: Json = {"class": kind, "message": message[:LONGEST_MESSAGE]}
    return told if retry_after_s is None else {**told, "retry_after_s": retry_after_s}


def serve(connect: Connect) -> None:
    """Answer until stdin ends; then end at once, whatever is still under way."""
    connection = _Connection(connect)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    pool = ThreadPoolExecutor(THREADS)
    for line in sys.stdin:
        pool.submit(connection.answer, line)
    os._exit(0)


def _end_with(parent: int) -> None:
    """End when the parent has: something else may still hold the other end of stdin."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(0)


def versions(*packages: str) -> dict[str, str]:
    """The installed version of each package."""
    return {package: importlib.metadata.version(package) for package in packages}


def bit_counts(shots: Sequence[Sequence[int]]) -> dict[str, int]:
    """Counts of shots, each a row of bits with bit 0 first; in the strings of the answer bit 0 is rightmost."""
    counts: dict[str, int] = {}
    for shot in shots:
        key = "".join(str(int(bit)) for bit in reversed(shot))
        counts[key] = counts.get(key, 0) + 1
    return counts
