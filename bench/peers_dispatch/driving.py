"""What the process of each side does: it starts its side, then does on each line of stdin what the line says.

`all N`: N jobs submitted at once, until the last result is here. `one N`: N jobs, each submitted when the result of the
one before it is here. `bare N`: the circuit N times in this process, without any dispatch. Answers are lines of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.peers_dispatch.circuit import PROGRAM, SHOTS, run

PATIENCE_S = 120.0
PAUSE_S = 0.02


class Side(Protocol):
    """A dispatcher that is ready to take jobs."""

    def all_at_once(self, jobs: int) -> list[dict[str, int]]:
        """Submit that many jobs at once; the counts of each."""
        ...

    def one(self) -> dict[str, int]:
        """Submit one job; its counts."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a side is to live.

    Attributes:
        folder: A new folder for its files and logs.
        database: URL of an empty database on the PostgreSQL that all sides share.
        workers: How many jobs it may run at a time.
    """

    folder: Path
    database: str
    workers: int


def drive(open_side: Callable[[Place], contextlib.AbstractContextManager[Side]]) -> None:
    """Run the side on what stdin says, until it ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--workers", type=int, required=True)
    options = parser.parse_args()
    # What a library prints must not come between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with open_side(Place(options.folder, options.database, options.workers)) as side:
        print(json.dumps({"ready": True}), file=answers, flush=True)
        for line in sys.stdin:
            what, number = line.split()
            print(json.dumps(answer(side, what, int(number))), file=answers, flush=True)


def answer(side: Side, what: str, number: int) -> dict[str, Any]:
    """What the side did on one line of stdin."""
    if what == "all":
        began = time.perf_counter()
        counts = side.all_at_once(number)
        seconds = time.perf_counter() - began
        if len(counts) != number:
            raise RuntimeError(f"{number} jobs were submitted, {len(counts)} results came")
        if all(one == counts[0] for one in counts):
            raise RuntimeError(f"all {number} results are the same: not every job was run")
        return {"seconds": seconds, "counts": _sum(counts)}
    call = side.one if what == "one" else lambda: run(PROGRAM, SHOTS)
    each, counts = [], []
    for _ in range(number):
        began = time.perf_counter()
        counts.append(call())
        each.append(time.perf_counter() - began)
        if what == "one":
            time.sleep(PAUSE_S)  # the next job finds an idle dispatcher
    return {"each": each, "counts": _sum(counts)}


def _sum(all_counts: Sequence[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in all_counts:
        for key, times in counts.items():
            total[key] = total.get(key, 0) + times
    return total


@contextlib.contextmanager
def process(
    command: Sequence[str], log: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a side, its output in `log`; told to end at the end, and killed if it does not within 20 s."""
    with log.open("wb") as sink:
        found = subprocess.Popen(command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, env=environment)
    try:
        yield found
    finally:
        found.terminate()
        try:
            found.wait(20)
        except subprocess.TimeoutExpired:
            found.kill()
            found.wait()


def script(name: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).with_name(name))


def until(answers: Callable[[], bool], what: str) -> None:
    """Wait until it answers true; an error counts as not yet.

    Raises:
        TimeoutError: It did not in two minutes.
    """
    give_up = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(Exception):
            if answers():
                return
        if time.monotonic() > give_up:
            raise TimeoutError(f"{what} did not start in {PATIENCE_S:g} s")
        time.sleep(0.1)
