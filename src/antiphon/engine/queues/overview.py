"""What somebody may know of a queue: all of it who runs the service, classes in place of names everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from antiphon.domain.evolve import evolve
from antiphon.domain.policies.estimates import Coverage, Quantiles, in_levels
from antiphon.domain.queues import Priority, QueuePolicy, Rank, Reservation
from antiphon.domain.shown import Shown
from antiphon.engine.context import EngineContext
from antiphon.engine.estimates import coverage, expected_waits
from antiphon.engine.queues.status import ShareOf, queue_status

CLASSES = {
    Rank.SESSION_HIGH: "sessions, High",
    Rank.SESSION: "sessions",
    Rank.HIGH: "High",
    Rank.STANDARD: "Standard",
}
"""The classes of a queue in words, in the order in which they are served."""


@dataclass(frozen=True, slots=True)
class Hold:
    """That a session holds a target; `session` and `workspace` are None where the asker may not know which.

    `until` is when the hold ends unless a job of the session comes before; None while its jobs run, or as long as it
    lives.
    """

    session: str | None
    workspace: str | None
    since: float | None
    until: float | None


@dataclass(frozen=True, slots=True)
class ClassWaiting:
    """How many jobs of a class wait, counted up to 10,000, and the seconds that they are planned to run."""

    rank: Rank
    jobs: int
    planned_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOverview(Shown):
    """Where the queue of a target stands, for one who asks.

    Attributes:
        policy: How it is run; `version` 0 means that no operator has decided about it.
        running: How many jobs of the target run.
        reservation: The window that is open now, `next_reservation` the next; another workspace's has no id, and none
            of the texts.
        waits: What a next job of each priority would wait, in seconds.
        coverage: How well the bounds held that were given for the newest jobs.
        shares: What the asker's workspace and its users used; of everybody for who runs the service.
    """

    policy: QueuePolicy
    running: int
    waiting: tuple[ClassWaiting, ...]
    hold: Hold | None
    reservation: Reservation | None
    next_reservation: Reservation | None
    waits: Mapping[Priority, Quantiles]
    coverage: Coverage
    shares: tuple[ShareOf, ...]

    def __str__(self) -> str:
        """Slots, classes, the hold, the expected wait, and how well such bounds held."""
        most = "" if self.policy.slots is None else f" of {self.policy.slots}"
        by_class = ", ".join(f"{each.jobs:,} {CLASSES[each.rank]}" for each in self.waiting if each.jobs)
        waiting = sum(each.jobs for each in self.waiting)
        which = f" ({by_class})" if by_class else ""
        lines = [f"{self.policy.target}: {self.running}{most} running, {waiting:,} waiting{which}"]
        if self.hold is not None:
            lines.append(f"  held by {held_by(self.hold)}")
        lines += [f"  wait of a {name.value} job: {in_levels(found)}" for name, found in self.waits.items()]
        return "\n".join([*lines, f"  waits: {self.coverage.wait.in_words()}"])


def held_by(hold: Hold) -> str:
    """Who holds, in words."""
    return "a session of another workspace" if hold.session is None else f"the session {hold.session}"


def overview(ctx: EngineContext, target: str, *, workspace: str, everything: bool = False) -> QueueOverview:
    """Where the queue of a target stands.

    Args:
        workspace: Who asks.
        everything: Nothing is left out: for who runs the service.

    Raises:
        NotFoundError: No such target.
    """
    status = queue_status(ctx, target)
    state = status.state
    hold = None
    if state.held_by is not None:
        own = everything or state.held_workspace == workspace
        hold = Hold(
            state.held_by if own else None, state.held_workspace if own else None, state.held_since, state.held_until
        )
    return QueueOverview(
        policy=status.policy if everything else evolve(status.policy, updated_by=""),
        running=status.running,
        waiting=tuple(ClassWaiting(rank, status.waiting[rank], status.waiting_s[rank]) for rank in Rank),
        hold=hold,
        reservation=status.reservation and seen_by(status.reservation, workspace, everything=everything),
        next_reservation=status.next_reservation and seen_by(status.next_reservation, workspace, everything=everything),
        waits={priority: expected_waits(ctx, target, priority) for priority in Priority},
        coverage=coverage(ctx, target),
        shares=tuple(each for each in status.shares if everything or each.workspace == workspace),
    )


def seen_by(booked: Reservation, workspace: str, *, everything: bool = False) -> Reservation:
    """A reservation as the members of a workspace may see it: of others' only when, and of which target."""
    if everything or booked.workspace == workspace:
        return booked
    return evolve(booked, id="", workspace="", created_by="", note="")
