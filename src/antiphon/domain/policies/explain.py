"""Explain: who is before a waiting job, by which rule, and what would change it; in classes, never in others' names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.domain.policies.holds import holds_now
from antiphon.domain.queues import Access, Priority, QueuePolicy, QueueState, Rank, Reservation
from antiphon.domain.shown import Shown, span
from antiphon.domain.submissions import SubmissionState

_CLASS = {
    Rank.SESSION_HIGH: "jobs of sessions with high priority",
    Rank.SESSION: "jobs of sessions",
    Rank.HIGH: "jobs with high priority",
    Rank.STANDARD: "standard jobs",
}

STARTS_BY = {
    Rank.SESSION_HIGH: "jobs of sessions start first, those with high priority before others",
    Rank.SESSION: "jobs of sessions start first",
    Rank.HIGH: "high priority starts before standard",
    Rank.STANDARD: "of standard jobs the one starts whose workspace and user have used least of their share",
}
"""The rule that lets a waiting job of a class start, in words; a job that has started has its `pick.Rule`."""
USED_NO_MORE = "they have used no more of their share"
NOT_FOLLOWED = "; no engine asks about it now, and the next that runs here does"
_BOOKED = "a reservation of another workspace"


@dataclass(frozen=True, slots=True)
class AheadGroup:
    """Waiting jobs of one class that may start before a job.

    Attributes:
        what: The class in words, and whose they are: one's own, of one's workspace, or of other workspaces.
        rule: Why they may start before it.
        jobs: How many; with `at_least`, so many were counted and there are more.
        planned_s: What their target planned them to run, in seconds.
    """

    what: str
    rule: str
    jobs: int
    planned_s: float
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What a workspace has used, in seconds for each unit of its allotment, beside the others that wait in the class.

    `median_s` is None where nobody else waits.
    """

    allotment: float
    used_s: float
    median_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Shown):
    """Why a job is where it is.

    Attributes:
        position: Jobs that start before it if nothing changes; with `at_least`, counting stopped there. None when it
            waits no more, or waits in the queue of its provider.
        rule: By which rule it starts when it does, or why it was started, or that it never was.
        held: Who keeps the target, as a class; None where nobody does.
        reservation: The window that keeps it waiting, in words.
        changes: What would change it, a sentence each.
        starts_bound: Once it has waited the queue's patience, so many starts by the ordinary rules come before it at
            most (see `policies.pick`).
        starts_in_s: Seconds until its provider starts it, as things stand; None where none has it, or does not tell.
    """

    job_id: str
    status: str
    rule: str
    position: int | None = None
    at_least: bool = False
    ahead: tuple[AheadGroup, ...] = ()
    held: str | None = None
    standing: Standing | None = None
    reservation: str | None = None
    changes: tuple[str, ...] = ()
    starts_bound: int | None = None
    starts_in_s: float | None = None

    def __str__(self) -> str:
        """Where it is, who is before it by which rule, and what would change it, a line each."""
        if self.position is None:
            return f"{self.job_id} is {self.status}; {self.rule}"
        if not self.position:
            lines = [f"{self.job_id} is the next of those that wait (rule: {self.rule})"]
        else:
            least = "at least " if self.at_least else ""
            lines = [f"{self.job_id} waits behind {least}{self.position:,} (rule: {self.rule})"]
        for each in self.ahead:
            more = "+" if each.at_least else ""
            what = each.what if each.jobs != 1 else each.what.replace("jobs", "job", 1)
            lines.append(f"  {each.jobs:,}{more} {what}: {each.rule}; planned {span(each.planned_s)}")
        if self.held is not None and self.held != _BOOKED:
            lines.append(f"  the target is held by {self.held}")
        if self.reservation is not None:
            lines.append(f"  the target is {self.reservation}")
        if self.standing is not None:
            used, others = span(self.standing.used_s), self.standing.median_s
            median = "" if others is None else f"; the median of those that wait: {span(others)}"
            lines.append(f"  your workspace used {used} for each unit of its allotment{median}")
        if self.changes:
            lines += ["what would change it:", *(f"  {each}" for each in self.changes)]
        return "\n".join(lines)


def waits_there(target: str, line: SubmissionState | None, starts_in_s: float | None) -> str:
    """What a job waits for that left our queue, and that its provider has not started; by its newest line."""
    match line:
        case SubmissionState.ACCEPTED:
            if starts_in_s is None:
                return f"it waits in the queue of {target} itself, which does not say for how long"
            if starts_in_s > 0.0:
                return f"it waits in the queue of {target} itself, and starts in {span(starts_in_s)} as things stand"
            return f"{target} has started it, and is asked about it now and then"
        case SubmissionState.IN_DOUBT:
            return f"nobody knows whether {target} took it; it is asked, and nothing is sent again before that is known"
        case SubmissionState.REFUSED:
            return f"{target} did not take it at this moment; it is sent again"
        case _:
            return f"it is being sent to {target}"


def group(rank: Rank, relation: str, own: Rank, jobs: int, planned_s: float, most: int) -> AheadGroup:
    """A row of what is ahead (see `QueueTransaction.work_ahead`) in words."""
    whose = {
        "user": ", of others in your workspace",
        "own": " of your own, older",
        "workspace": ", of other workspaces",
    }
    if rank is not own:
        rule = "sessions go first" if rank <= Rank.SESSION < own else "priority"
    else:
        rule = {"user": USED_NO_MORE, "workspace": USED_NO_MORE}.get(relation, "age")
    return AheadGroup(f"{_CLASS[rank]}{whose.get(relation, '')}", rule, jobs, planned_s, jobs >= most)


def held_by(
    state: QueueState, workspace: str, session_id: str | None, now: float, reservation: Reservation | None
) -> str | None:
    """Who has the target to itself, as a class; None if nobody, or the job's own session."""
    if reservation is not None and reservation.workspace != workspace:
        return _BOOKED
    if state.held_by is None or not holds_now(state, now) or state.held_by == session_id:
        return None
    if state.held_workspace == workspace:
        return f"session {state.held_by} of this workspace"
    return "a session of another workspace"


def reserved(reservation: Reservation | None, to_come: Reservation | None, workspace: str, now: float) -> str | None:
    """The window of another workspace that is open, or that comes, in words."""
    if reservation is not None and reservation.workspace != workspace:
        return f"booked for another workspace for {_span(reservation.ends_at - now)} more"
    if to_come is not None and to_come.workspace != workspace:
        return (
            f"booked for another workspace from {_span(to_come.starts_at - now)} on; only what ends before then starts"
        )
    return None


def changes(
    policy: QueuePolicy,
    state: QueueState,
    rank: Rank,
    priority: Priority,
    waited_s: float,
    now: float,
    ahead: Sequence[AheadGroup],
    held: str | None,
    standing: Standing | None,
    bound: int,
) -> tuple[str, ...]:
    """What would change when the job starts, a sentence each; the strongest first."""
    found = []
    if held is not None and state.held_by is not None and held != _BOOKED:
        if state.held_until is not None:
            found.append(
                f"The hold ends in {_span(state.held_until - now)}, unless a job of that session comes before."
            )
        elif policy.access is Access.DEDICATED:
            found.append("The target is that session's until it closes or reaches its total limit.")
        else:
            found.append(f"The hold ends {_span(policy.gap_s)} after that session's last job.")
    if ahead and rank > Rank.SESSION:
        found.append(f"Open a session on {policy.target}: jobs of sessions go before others.")
    if ahead and priority is not Priority.HIGH:
        found.append("High priority goes before standard within its class, at what the target charges for it.")
    by_share = any(each.rule == USED_NO_MORE for each in ahead)
    if by_share and standing is not None and standing.median_s is not None and standing.used_s > standing.median_s:
        found.append(
            f"Your workspace has used {standing.used_s:,.0f} s for each unit of its allotment, the median of those "
            f"that wait is {standing.median_s:,.0f} s: a larger allotment, or less use lately, moves it forward."
        )
    if ahead:
        left = policy.patience_s - waited_s
        when = f"In {_span(left)} it has" if left > 0 else "It has"
        found.append(
            f"{when} waited the queue's patience; from then on at most {bound:,} starts by the ordinary rules come "
            f"before it, since one of every {policy.aged_every} is for the oldest job."
        )
    return tuple(found)


def starts_bound(policy: QueuePolicy, older: int) -> int:
    """The starvation bound of `policies.pick`, with so many older jobs waiting or running."""
    return policy.aged_every * (older + 1)


def _span(seconds: float) -> str:
    seconds = max(0.0, seconds)
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"
