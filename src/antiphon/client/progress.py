"""Progress while waiting for a job: on a terminal, in a notebook, and nowhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from typing import Any

from antiphon.domain.jobs import PROVIDER, JobStatus
from antiphon.domain.jobs import Job as JobFacts

Watch = Callable[[JobFacts], None]
REDRAW_S = 0.25
"""A notebook is a web page: more often than this it need not change."""


@contextmanager
def watching(name: str, watch: Watch | None = None) -> Iterator[Watch]:
    """Give a function that shows the job of this name each time it is called with its facts, and calls `watch` as well.

    On a terminal it is one line on stderr, gone at the end; in a notebook a line of its own that is updated in place;
    elsewhere nothing is shown.
    """
    with _shown(name) as show:

        def both(facts: JobFacts) -> None:
            show(facts)
            if watch is not None:
                watch(facts)

        yield both


def stage_of(facts: JobFacts, elapsed: float) -> str:
    """What a job is doing or waiting for, in words, with the seconds since the wait began."""
    match facts.status:
        case JobStatus.WAITING if facts.attempts and facts.executor == PROVIDER:
            what = f"waiting for {facts.spec.target} to start it"
        case JobStatus.WAITING if facts.attempts:
            what = f"waiting to be run again, after attempt {facts.attempts}"
        case JobStatus.WAITING:
            what = f"waiting for its turn on {facts.spec.target}"
        case JobStatus.EXECUTING:
            again = f", attempt {facts.attempts}" if facts.attempts > 1 else ""
            what = f"executing on {facts.spec.target}{again}"
        case JobStatus.CANCELLATION_REQUESTED:
            what = "being cancelled"
        case _:
            what = facts.status.value
    return f"{facts.name}: {what} · {elapsed:.0f} s"


@contextmanager
def _shown(name: str) -> Iterator[Watch]:
    began = time.monotonic()
    notebook = _notebook()
    if notebook is not None:
        yield _in_notebook(notebook, began)
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.markup import escape as literal

        with Console(stderr=True).status(literal(f"{name}: …")) as status:
            yield lambda facts: status.update(literal(stage_of(facts, time.monotonic() - began)))
    else:
        yield lambda _: None


def _in_notebook(display: Any, began: float) -> Watch:
    last = [0.0]
    handle = display(_Line("…"), display_id=True)

    def show(facts: JobFacts) -> None:
        now = time.monotonic()
        if facts.status.is_final or now - last[0] >= REDRAW_S:
            last[0] = now
            handle.update(_Line(stage_of(facts, now - began)))

    return show


class _Line:
    """A line that is text in a terminal and HTML in a notebook."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return f'<div style="font-family:monospace;opacity:0.8">{escape(self._text)}</div>'


def _notebook() -> Any:
    """IPython's `display` when a notebook's kernel runs this process, else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return import_module("IPython.display").display
