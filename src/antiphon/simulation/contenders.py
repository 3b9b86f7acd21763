"""Policies that are put side by side: ours, and those of others, each a function that picks the next job."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush
from typing import Protocol

from antiphon.domain.policies.pick import pick
from antiphon.domain.queues import QueuePolicy, QueueState, Rank, Reservation, Waiting
from antiphon.simulation.memory_view import MemoryQueue, Party


class Picked(Protocol):
    """A pick: `policies.pick.Pick` is one."""

    @property
    def job(self) -> Waiting:
        """The job to start."""
        ...

    @property
    def rule(self) -> StrEnum:
        """Why it and no other."""
        ...

    @property
    def counts(self) -> bool:
        """Whether the start counts for the next turn by age."""
        ...


Picker = Callable[[MemoryQueue, QueueState, QueuePolicy, float, Reservation | None, Reservation | None], Picked | None]
"""The signature of `policies.pick.pick`."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A policy under a name.

    Attributes:
        picker: Makes the function for one queue, with a source of chance of its own.
        holds: Whether sessions can hold a target.
        about: What it does, in a line.
    """

    name: str
    picker: Callable[[random.Random], Picker]
    about: str
    holds: bool = False


class PeerRule(StrEnum):
    """Why a peer's policy started a job."""

    OLDEST = "it was the oldest"
    CLASS = "it was the oldest of its class"
    TURN = "it was its user's turn"
    LOT = "its user was drawn by lot"


@dataclass(frozen=True, slots=True)
class PeerPick:
    """A peer's pick."""

    job: Waiting
    rule: PeerRule
    counts: bool = True


def _fits(job: Waiting, now: float, to_come: Reservation | None) -> bool:
    return to_come is None or job.workspace == to_come.workspace or now + job.planned_s <= to_come.starts_at


def fifo(
    view: MemoryQueue,
    state: QueueState,  # noqa: ARG001 - the signature of all
    policy: QueuePolicy,  # noqa: ARG001
    now: float,
    reservation: Reservation | None = None,
    to_come: Reservation | None = None,
) -> PeerPick | None:
    """The oldest job, whosoever it is."""
    first = view.oldest(reservation.workspace if reservation is not None else None)
    return PeerPick(first, PeerRule.OLDEST) if first is not None and _fits(first, now, to_come) else None


def by_priority(
    view: MemoryQueue,
    state: QueueState,  # noqa: ARG001 - the signature of all
    policy: QueuePolicy,  # noqa: ARG001
    now: float,
    reservation: Reservation | None = None,
    to_come: Reservation | None = None,
) -> PeerPick | None:
    """The highest class that waits, and in it the oldest."""
    only = reservation.workspace if reservation is not None else None
    for rank in Rank:
        first = view.oldest_of_rank(rank, only)
        if first is not None and _fits(first, now, to_come):
            return PeerPick(first, PeerRule.CLASS)
    return None


class RoundRobin:
    """Users take turns; each time the oldest job of the one whose last turn is the longest ago."""

    def __init__(self, chance: random.Random) -> None:
        del chance
        self._turns: list[tuple[int, Party]] = []
        self._last: dict[Party, int] = {}
        self._listed: set[Party] = set()
        self._turn = 0

    def __call__(
        self,
        view: MemoryQueue,
        state: QueueState,  # noqa: ARG002 - the signature of all
        policy: QueuePolicy,  # noqa: ARG002
        now: float,
        reservation: Reservation | None = None,
        to_come: Reservation | None = None,
    ) -> PeerPick | None:
        """Whose turn it is."""
        for party in view.newly_waiting:
            if party not in self._listed:
                self._listed.add(party)
                heappush(self._turns, (self._last.get(party, -1), party))
        view.newly_waiting.clear()
        passed_over: list[tuple[int, Party]] = []
        found: PeerPick | None = None
        while self._turns and found is None:
            turn, party = heappop(self._turns)
            first = view.first_of_party(party)
            if first is None:
                self._listed.discard(party)
            elif (reservation is not None and reservation.workspace != party[0]) or not _fits(first, now, to_come):
                passed_over.append((turn, party))
            else:
                self._turn += 1
                self._last[party] = self._turn
                heappush(self._turns, (self._turn, party))
                found = PeerPick(first, PeerRule.TURN)
        for entry in passed_over:
            heappush(self._turns, entry)
        return found


class RandomUser:
    """A user is drawn by lot, and starts the oldest job: what Qiskit Serverless does."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def __call__(
        self,
        view: MemoryQueue,
        state: QueueState,  # noqa: ARG002 - the signature of all
        policy: QueuePolicy,  # noqa: ARG002
        now: float,
        reservation: Reservation | None = None,
        to_come: Reservation | None = None,
    ) -> PeerPick | None:
        """Who was drawn."""
        parties = view.parties
        if reservation is not None:
            parties = [party for party in parties if party[0] == reservation.workspace]
        if not parties:
            return None
        first = view.first_of_party(self._chance.choice(parties))
        return PeerPick(first, PeerRule.LOT) if first is not None and _fits(first, now, to_come) else None


def antiphon() -> Contender:
    """The engine's own rules."""
    return Contender("antiphon", lambda _: pick, "sessions, priority, fair shares, and a bound on waiting", holds=True)


CONTENDERS: dict[str, Contender] = {
    each.name: each
    for each in (
        antiphon(),
        Contender("fifo", lambda _: fifo, "the oldest job first"),
        Contender("priority", lambda _: by_priority, "classes, and in each the oldest job"),
        Contender("round-robin", RoundRobin, "users take turns"),
        Contender("random-user", RandomUser, "a user is drawn by lot, as Qiskit Serverless does"),
    )
}
"""What `antiphon simulate --policy` knows, by name."""
