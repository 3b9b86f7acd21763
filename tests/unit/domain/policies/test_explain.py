from __future__ import annotations

import pytest

from antiphon.domain.policies import explain
from antiphon.domain.policies.explain import AheadGroup, Standing
from antiphon.domain.queues import Access, Priority, QueuePolicy, QueueState, Rank, Reservation
from antiphon.domain.submissions import SubmissionState

POLICY = QueuePolicy(target="t", slots=1, access=Access.EXCLUSIVE)
GROUP = AheadGroup("standard jobs, of other workspaces", explain.USED_NO_MORE, 3, 9.0)
OTHERS = Reservation(
    id="r", target="t", workspace="others", starts_at=100.0, ends_at=400.0, created_by="op", created_at=0.0
)


def changes(**given: object) -> str:
    facts: dict[str, object] = {
        "policy": POLICY,
        "state": QueueState(target="t"),
        "rank": Rank.STANDARD,
        "priority": Priority.STANDARD,
        "waited_s": 0.0,
        "now": 100.0,
        "ahead": (GROUP,),
        "held": None,
        "standing": None,
        "bound": 8,
    }
    return " ".join(explain.changes(**(facts | given)))  # type: ignore[arg-type]


def test_what_helps_is_said_only_where_it_helps() -> None:
    assert "Open a session on t" in changes()
    assert "High priority" in changes()
    assert "session" not in changes(rank=Rank.SESSION)
    assert "High priority" not in changes(rank=Rank.HIGH, priority=Priority.HIGH)
    assert changes(ahead=()) == ""


def test_age_is_said_before_and_after_the_patience_is_over() -> None:
    assert "In 60 min it has waited" in changes()
    assert "It has waited" in changes(waited_s=3_600.0)
    assert "at most 8 starts" in changes()


def test_shares_are_said_to_who_has_used_more_than_most() -> None:
    assert "1,000 s" in changes(standing=Standing(1.0, 1_000.0, 10.0))
    assert "allotment" not in changes(standing=Standing(1.0, 10.0, 1_000.0))


def test_how_a_hold_ends_depends_on_access() -> None:
    held = {"state": QueueState(target="t", held_by="s", held_workspace="w"), "held": "a session of another workspace"}
    assert "60 s after" in changes(**held)
    assert "until it closes" in changes(**held, policy=QueuePolicy(target="t", slots=1, access=Access.DEDICATED))
    ending = QueueState(target="t", held_by="s", held_workspace="w", held_until=130.0)
    assert "ends in 30 s" in changes(**(held | {"state": ending}))


@pytest.mark.parametrize(
    ("workspace", "session_id", "told"),
    [("w", "s", None), ("w", "other", "session s of this workspace"), ("v", None, "a session of another workspace")],
)
def test_who_holds_is_named_to_its_own_workspace_alone(workspace: str, session_id: str | None, told: str) -> None:
    state = QueueState(target="t", held_by="s", held_workspace="w")
    assert explain.held_by(state, workspace, session_id, 0.0, None) == told
    assert explain.held_by(state, workspace, session_id, 0.0, OTHERS) == "a reservation of another workspace"


def test_windows_of_others_are_told() -> None:
    assert explain.reserved(OTHERS, None, "mine", 100.0) == "booked for another workspace for 5 min more"
    assert "from 40 s on" in (explain.reserved(None, OTHERS, "mine", 60.0) or "")
    assert explain.reserved(OTHERS, OTHERS, "others", 100.0) is None


@pytest.mark.parametrize(("line", "starts_in_s", "told"), [
    (None, None, "it is being sent to t"),
    (SubmissionState.SENT, None, "it is being sent to t"),
    (SubmissionState.REFUSED, None, "t did not take it at this moment; it is sent again"),
    (SubmissionState.IN_DOUBT, None, "nobody knows whether t took it"),
    (SubmissionState.ACCEPTED, None, "it waits in the queue of t itself, which does not say for how long"),
    (SubmissionState.ACCEPTED, 7_500.0, "it waits in the queue of t itself, and starts in 2 h 5 min as things stand"),
    (SubmissionState.ACCEPTED, 0.0, "t has started it"),
])  # fmt: skip
def test_what_a_job_waits_for_at_its_provider(line: SubmissionState | None, starts_in_s: float, told: str) -> None:
    assert explain.waits_there("t", line, starts_in_s).startswith(told)


@pytest.mark.parametrize(
    ("rank", "relation", "own", "what", "rule"),
    [
        (Rank.SESSION, "session", Rank.STANDARD, "jobs of sessions", "sessions go first"),
        (Rank.SESSION_HIGH, "session", Rank.SESSION, "jobs of sessions with high priority", "priority"),
        (Rank.HIGH, "priority", Rank.STANDARD, "jobs with high priority", "priority"),
        (Rank.STANDARD, "own", Rank.STANDARD, "standard jobs of your own, older", "age"),
    ],
)
def test_groups_in_words(rank: Rank, relation: str, own: Rank, what: str, rule: str) -> None:
    found = explain.group(rank, relation, own, 1_000, 5.0, 1_000)
    assert (found.what, found.rule, found.at_least) == (what, rule, True)


def test_one_job_is_one_and_a_window_is_told_once() -> None:
    one = explain.group(Rank.SESSION, "session", Rank.STANDARD, 1, 5.0, 1_000)
    told = str(
        explain.Explanation(
            job_id="job_1",
            status="Waiting",
            rule=explain.STARTS_BY[Rank.STANDARD],
            position=1,
            ahead=(one,),
            held=explain.held_by(QueueState(target="t"), "mine", None, 100.0, OTHERS),
            reservation=explain.reserved(OTHERS, None, "mine", 100.0),
        )
    )
    assert "  1 job of sessions: sessions go first; planned 5 s" in told
    assert told.count("another workspace") == 1
