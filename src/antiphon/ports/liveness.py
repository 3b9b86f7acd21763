"""Whether another engine process is still alive, so that its jobs need not wait for its lease to run out."""

from __future__ import annotations

from typing import Protocol

from antiphon.ports.job_store import EngineLease


class Liveness(Protocol):
    """Knows processes of this host."""

    def describe_self(self) -> tuple[str, int, float]:
        """This process as (host, process id, start time)."""
        ...

    def is_dead(self, lease: EngineLease) -> bool:
        """True only when the process is certainly gone; an unknown host is not."""
        ...
