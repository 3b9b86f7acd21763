"""For whom something is done, where no argument tells: adapters share scarce places among workspaces by it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who waits for what is done.

    Attributes:
        workspace: Whose it is; "" where there is only one.
        patient: It waits for its turn however long that takes, since nobody waits for it in turn: a batch that runs.
        gives_up: Done once it wants no answer any more: it has no turn then, and what is done for it is stopped.
    """

    workspace: str = ""
    patient: bool = False
    gives_up: Future[None] | None = None


_caller: ContextVar[Caller] = ContextVar("antiphon_caller")


def caller() -> Caller:
    """For whom this thread, or this task of an event loop, works."""
    return _caller.get(Caller())


def works_for(workspace: str) -> None:
    """Say for whom this task of an event loop works from now on, in threads that it waits for as well."""
    _caller.set(Caller(workspace))


@contextmanager
def on_behalf_of(workspace: str, *, patient: bool = False, gives_up: Future[None] | None = None) -> Iterator[None]:
    """Say for whom the block works; see `Caller`."""
    token = _caller.set(Caller(workspace, patient, gives_up))
    try:
        yield
    finally:
        _caller.reset(token)
