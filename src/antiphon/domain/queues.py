"""Queues: how a target's waiting jobs are served, and where its queue stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

DAY_S = 86_400.0


class Priority(StrEnum):
    """What a submit asks for; Azure Quantum's words."""

    STANDARD = "Standard"
    HIGH = "High"


class Rank(IntEnum):
    """The classes of a queue, served in this order."""

    SESSION_HIGH = 0
    SESSION = 1
    HIGH = 2
    STANDARD = 3


def rank_of(priority: Priority, *, in_session: bool) -> Rank:
    """The class of a job: jobs of sessions first, then by priority."""
    if in_session:
        return Rank.SESSION_HIGH if priority is Priority.HIGH else Rank.SESSION
    return Rank.HIGH if priority is Priority.HIGH else Rank.STANDARD


class Access(StrEnum):
    """What a session gets of its target."""

    SHARED = "shared"  # its jobs go first
    EXCLUSIVE = "exclusive"  # and the target is held for it while new jobs keep coming within a gap
    DEDICATED = "dedicated"  # and the target is held for it until it closes or reaches its total limit


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePolicy:
    """How the queue of one target is run. Times in seconds.

    Attributes:
        slots: How many jobs run on it at the same time, whatever engine they run in. None: as many as there are
            workers (simulators); then any engine takes from the queue, and cheap jobs run without waiting in it.
        access: What its sessions get. Exclusive and dedicated access need `slots`.
        gap_s: An exclusive hold ends when no job of the session came for so long.
        window_s: Use counts for fair shares with a weight that falls as exp(-age / window_s): who uses the target
            evenly has used as much as in a plain window of this length.
        patience_s: A job that has waited for so long is old: of every `aged_every` starts one is the oldest such job.
        aged_every: See `patience_s`; the starvation bound in `policies.pick` follows from it.
        quantum_s: A batch gives way after so much running while somebody else waits.
    """

    target: str
    slots: int | None = None
    access: Access = Access.SHARED
    gap_s: float = 60.0
    window_s: float = 28 * DAY_S
    patience_s: float = 3_600.0
    aged_every: int = 4
    quantum_s: float = 30.0
    version: int = 0
    updated_at: float = 0.0
    updated_by: str = ""

    @property
    def is_queued(self) -> bool:
        """Whether every job of the target goes through its queue, since only so many run at a time."""
        return self.slots is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """Where the queue of one target stands. Whoever decides about it holds the row's lock.

    Attributes:
        owner: The engine that runs the queue of a target with slots; its heartbeat is the lease's.
        fence: Grows whenever the owner changes.
        held_by: The session that holds the target, `held_workspace` its workspace, `held_since` since when.
        held_until: When the hold ends unless a job of the session comes before; None: while its jobs run, or for a
            dedicated session as long as the session lives.
        starts: Jobs started by the ordinary rules, outside holds.
    """

    target: str
    owner: str | None = None
    fence: int = 0
    held_by: str | None = None
    held_workspace: str | None = None
    held_since: float | None = None
    held_until: float | None = None
    starts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A window of a target booked for a workspace: from `starts_at` until before `ends_at` nobody else starts there."""

    id: str
    target: str
    workspace: str
    starts_at: float
    ends_at: float
    created_by: str
    created_at: float
    note: str = ""
    cancelled_at: float | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the rules look at of a waiting job; `planned_s` is how long its target planned it to run."""

    id: str
    rank: Rank
    workspace: str
    user: str
    created_at: float
    session_id: str | None = None
    planned_s: float = 0.0
