"""One target's queue on a virtual clock, from its first job to its last.

What the engine decides is decided by its own functions: `pick`, `holds` and `shares`. What it does around them is
modelled here: slots, ends, sessions that submit their next job when they have the last one's result, batches that give
way, outages.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from heapq import heappop, heappush

from antiphon.domain.policies import holds
from antiphon.domain.policies.quantum import is_over
from antiphon.domain.queues import QueuePolicy, QueueState, Rank, Reservation, Waiting
from antiphon.domain.sessions import DEFAULT_IDLE_LIMIT_S, DEFAULT_TOTAL_LIMIT_S
from antiphon.simulation.ages import Ages
from antiphon.simulation.contenders import Picked, Picker
from antiphon.simulation.memory_view import MemoryQueue
from antiphon.simulation.played import Played
from antiphon.simulation.queue_jobs import QueueJobs
from antiphon.simulation.targets import Closure, SimTarget
from antiphon.simulation.workload import NONE, Indices

_RANKS = tuple(Rank)
REPORT_EVERY = 1_000


class Event(IntEnum):
    """What happens by itself; at one time in this order."""

    END = 0
    QUANTUM = 1
    SESSION_END = 2
    SESSION_LIMIT = 3
    CLOSE = 4
    OPEN = 5
    SUBMIT = 6
    WAKE = 7


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """The limits of sessions, in seconds, as `domain.sessions` explains them."""

    idle_s: float = DEFAULT_IDLE_LIMIT_S
    total_s: float = DEFAULT_TOTAL_LIMIT_S


class QueueRun:
    """The queue of target number `target`; `run` plays it and writes into `played`.

    Args:
        members: The jobs of the target.
        can_hold: Whether the policy knows holds.
        progress: Told now and then how many jobs more are done.
    """

    def __init__(
        self,
        played: Played,
        target: int,
        members: Indices,
        sim: SimTarget,
        policy: QueuePolicy,
        picker: Picker,
        *,
        can_hold: bool,
        limits: SessionLimits,
        allotments: dict[str, float],
        progress: Callable[[int], None],
    ) -> None:
        load = played.workload
        self._played, self._facts, self._sim = played, played.queues[target], sim
        self._policy, self._picker, self._can_hold, self._limits = policy, picker, can_hold, limits
        self._progress = progress
        self._view = MemoryQueue(policy.window_s, allotments, whole=bool(sim.reservations))
        self._ages = Ages(self._view, policy)
        self._state = QueueState(target=policy.target)
        self._free = sim.slots
        self._shut = False
        self._left = len(members)
        self._done = 0
        self._events: list[tuple[float, int, int, int]] = []
        self._running: dict[int, tuple[float, int]] = {}
        self._attempts: dict[int, int] = {}
        self._jobs: dict[int, Waiting] = {}
        self._to_run: dict[int, float] = {}
        self._wake_at = math.nan
        self._kept, self._kept_since = 0, 0.0
        asked = QueueJobs(load, members)
        self._rows, self._followers, self._arrivals = asked.rows, asked.followers, asked.arrivals
        self._workspace_of, self._session_left = asked.workspace_of, asked.session_left
        self._session_pending = dict.fromkeys(self._session_left, 0)
        self._seen: set[int] = set()
        self._cut: set[int] = set()

    # --- the clock

    def run(self) -> None:
        """Play it until every job has ended or was cut off."""
        for number, closure in enumerate(self._sim.closures):
            self._after(closure.starts_at, Event.CLOSE, number)
            self._after(closure.ends_at, Event.OPEN, number)
        for reservation in self._sim.reservations:
            self._after(reservation.starts_at, Event.WAKE)
            self._after(reservation.ends_at, Event.WAKE)
        events, arrivals, at = self._events, self._arrivals, 0
        count = len(arrivals)
        while self._left:
            if at < count and (not events or arrivals[at][0] <= events[0][0]):
                now, job = arrivals[at]
                at += 1
                self._submit(job, now)
            else:
                now, kind, number, attempt = heappop(events)
                self._happen(kind, number, attempt, now)
            self._dispatch(now)
            if not self._left and self._state.held_by is not None:
                self._note_hold_end(self._state, now)
        self._progress(self._done)
        self._facts.past_bound, self._facts.old = self._ages.past_bound, self._ages.old

    def _after(self, at: float, kind: Event, number: int = 0, attempt: int = 0) -> None:
        heappush(self._events, (at, kind, number, attempt))

    def _happen(self, kind: int, number: int, attempt: int, now: float) -> None:
        if kind == Event.END:
            if self._attempts[number] == attempt and number in self._running:
                self._end(number, now)
        elif kind == Event.SUBMIT:
            self._submit(number, now)
        elif kind == Event.QUANTUM:
            if self._attempts[number] == attempt and number in self._running:
                self._quantum(number, now)
        elif kind == Event.SESSION_END:
            self._release_for(number, now)
        elif kind == Event.SESSION_LIMIT:
            self._cut_session(number, now)
        elif kind == Event.CLOSE:
            self._close(self._sim.closures[number], now)
        elif kind == Event.OPEN:
            self._shut = False

    # --- starting

    def _dispatch(self, now: float) -> None:
        if self._kept:
            self._facts.kept_idle_s += self._kept * (now - self._kept_since)
            self._kept = 0
        if self._shut:
            return
        view = self._view
        while self._free and len(view):
            if self._state.held_by is not None:
                self._let_go(now)
            chosen = self._choose(now)
            if chosen is None:
                until = self._state.held_until
                if until is not None and until != self._wake_at:
                    self._wake_at = until
                    self._after(math.nextafter(until, math.inf), Event.WAKE)
                self._kept, self._kept_since = min(self._free, len(view)), now
                return
            self._start(chosen, now)

    def _choose(self, now: float) -> Picked | None:
        reservation, to_come = self._windows(now) if self._sim.reservations else (None, None)
        return self._picker(self._view, self._state, self._policy, now, reservation, to_come)

    def _let_go(self, now: float) -> None:
        before = self._state
        assert before.held_by is not None
        first = self._view.first_of_session(before.held_by)
        self._state = holds.as_of(before, self._policy, now, first.created_at if first is not None else None)
        if self._state is not before:
            self._note_hold_end(before, now)

    def _start(self, chosen: Picked, now: float) -> None:
        job, before = chosen.job, self._state
        number = int(job.id)
        self._ages.before_start(now, before.starts)
        first = number not in self._attempts
        self._ages.started(job, before.starts, first=first)
        session = job.session_id if self._can_hold else None
        self._state = holds.started(before, self._policy, session, job.workspace, now, counts=chosen.counts)
        if before.held_by is not None and self._state.held_by != before.held_by:
            self._note_hold_end(before, now)
        self._view.take(job)
        self._view.charge(job.workspace, job.user, job.planned_s, now)
        self._free -= 1
        attempt = 1 if first else self._attempts[number] + 1
        self._attempts[number] = attempt
        self._running[number] = (now, attempt)
        if first:
            self._played.started_at[number] = now
        rule = chosen.rule.value
        self._facts.rules[rule] = self._facts.rules.get(rule, 0) + 1
        self._run_on(number, now, attempt, self._to_run[number])

    def _run_on(self, number: int, now: float, attempt: int, seconds: float) -> None:
        if self._rows[number].batch and seconds > self._policy.quantum_s:
            self._after(now + self._policy.quantum_s, Event.QUANTUM, number, attempt)
        else:
            self._after(now + seconds, Event.END, number, attempt)

    def _windows(self, now: float) -> tuple[Reservation | None, Reservation | None]:
        reservations = self._sim.reservations
        opened = next((each for each in reservations if each.starts_at <= now < each.ends_at), None)
        return opened, next((each for each in reservations if each.starts_at > now), None)

    # --- what happens to jobs

    def _submit(self, number: int, now: float) -> None:
        row = self._rows[number]
        session = row.session
        if session != NONE:
            if session in self._cut:
                self._drop(number)
                return
            if session not in self._seen:
                self._seen.add(session)
                self._after(now + self._limits.total_s, Event.SESSION_LIMIT, session)
            self._session_pending[session] += 1
        load = self._played.workload
        workspace = load.workspaces[self._workspace_of[row.user]]
        job = Waiting(
            f"{number:09d}",
            _RANKS[row.rank],
            workspace,
            load.users[row.user],
            now,
            str(session) if session != NONE else None,
            row.planned_s,
        )
        self._played.submitted_at[number] = now
        self._jobs[number] = job
        self._to_run[number] = row.run_s
        self._view.add(job)
        self._ages.submitted(job)

    def _end(self, number: int, now: float) -> None:
        self._stop(number, now)
        self._played.ended_at[number] = now
        job = self._jobs.pop(number)
        self._finished()
        session = self._rows[number].session
        if session == NONE:
            return
        self._session_pending[session] -= 1
        if self._can_hold:
            pending = self._session_pending[session]
            self._state = holds.ended(self._state, self._policy, job.session_id, pending=pending, now=now)
        for follower, think_s in self._followers.get(number, ()):
            self._after(now + think_s, Event.SUBMIT, follower)
        self._count_session(session, now, closes=bool(self._played.workload.session_closes[session]))

    def _stop(self, number: int, now: float) -> float:
        start, _ = self._running.pop(number)
        job = self._jobs[number]
        self._played.ran(number, start, now)
        self._view.charge(job.workspace, job.user, now - start - job.planned_s, now)
        self._free += 1
        return now - start

    def _quantum(self, number: int, now: float) -> None:
        start, attempt = self._running[number]
        job, ran = self._jobs[number], now - start
        # A sum of times may miss the quantum by its last digit.
        if not is_over(ran * (1 + 1e-9), self._policy.quantum_s) or not self._gives_way(job, ran, now):
            self._run_on(number, now, attempt, self._to_run[number] - ran)
            return
        self._to_run[number] -= self._stop(number, now)
        self._facts.yields += 1
        self._return(job, now)

    def _gives_way(self, job: Waiting, ran: float, now: float) -> bool:
        """Whether somebody else would be started if the job waited and were charged with what it took.

        To ask a peer's policy may change whose turn is next: under these it gives way whenever somebody else waits.
        """
        view = self._view
        if not view.others_wait(job.workspace, job.user) or not self._can_hold:
            return view.others_wait(job.workspace, job.user)
        view.add(job)
        view.charge(job.workspace, job.user, ran - job.planned_s, now)
        if self._state.held_by is not None:
            self._let_go(now)
        chosen = self._choose(now)
        view.take(job)
        view.charge(job.workspace, job.user, job.planned_s - ran, now)
        if chosen is None or chosen.job.id != job.id:
            return chosen is not None
        self._ages.went_on(job, now, self._state.starts)
        self._state = holds.went_on(self._state, counts=chosen.counts)
        return False

    def _return(self, job: Waiting, now: float) -> None:
        self._view.add(job)
        self._ages.returned(job, now, self._state.starts)

    def _close(self, closure: Closure, now: float) -> None:
        self._shut = True
        if not closure.is_outage:
            return
        for number in list(self._running):
            ran = self._stop(number, now)
            if self._rows[number].batch:  # of a batch, what is done is done
                self._to_run[number] -= ran
            self._facts.interrupted += 1
            self._return(self._jobs[number], now)

    # --- what happens to sessions

    def _count_session(self, session: int, now: float, *, closes: bool) -> None:
        self._session_left[session] -= 1
        if not self._session_left[session]:
            self._after(now if closes else now + self._limits.idle_s, Event.SESSION_END, session)

    def _release_for(self, session: int, now: float) -> None:
        if self._state.held_by == str(session):
            self._note_hold_end(self._state, now)
            self._state = holds.released(self._state)

    def _cut_session(self, session: int, now: float) -> None:
        if not self._session_left[session]:
            return
        self._cut.add(session)
        while (job := self._view.first_of_session(str(session))) is not None:
            self._view.take(job)
            self._ages.gone(job)
            self._session_pending[session] -= 1
            number = int(job.id)
            del self._jobs[number]
            self._drop(number)
        self._release_for(session, now)

    def _drop(self, number: int) -> None:
        dropped = [number]
        while dropped:
            each = dropped.pop()
            dropped += [follower for follower, _ in self._followers.get(each, ())]
            self._session_left[self._rows[each].session] -= 1
            self._facts.cut += 1
            self._finished()

    def _note_hold_end(self, before: QueueState, now: float) -> None:
        assert before.held_by is not None
        assert before.held_since is not None
        session = int(before.held_by)
        lost = self._session_left[session] > 0
        self._facts.holds.append((session, before.held_since, now, lost))

    def _finished(self) -> None:
        self._left -= 1
        self._done += 1
        if self._done >= REPORT_EVERY:
            self._progress(self._done)
            self._done = 0
