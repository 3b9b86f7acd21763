"""Engines that take over from each other: the ledger says all that the next one needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.domain.jobs import JobStatus
from antiphon.domain.queues import Priority
from antiphon.domain.work import JobKind, Plan, Work
from antiphon.engine.claim import claim
from antiphon.engine.leases import beat, put_back_orphans, recover, release
from antiphon.engine.providers import sending
from antiphon.engine.providers.ledger import set_out
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.errors import StoreError
from antiphon.ports.provider import AnswerLostError
from provider_jobs import Desk, desk
from scripted_provider import TARGET, ScriptedProvider


class Died(BaseException):
    """As if the process ended here."""


def die() -> None:
    raise Died


def test_who_takes_over_follows_what_is_there(here: Desk, there: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    here.step(here.take(job_id))
    here.lose(job_id)
    followed = there.take(job_id)
    provider.end()
    there.see_through(followed)
    assert there.job(job_id).status is JobStatus.SUCCEEDED
    assert len(provider.sent) == 1
    assert there.states(job_id) == ["ended"]


@pytest.mark.parametrize("arrived", [True, False])
def test_who_takes_over_what_was_on_its_way_asks_first(
    here: Desk, there: Desk, provider: ScriptedProvider, arrived: bool
) -> None:
    job_id = here.submit()
    provider.during = die
    with pytest.raises(Died):
        here.step(here.take(job_id))
    provider.during = None
    assert here.states(job_id) == ["sent"]
    if arrived:
        provider.faults = [(AnswerLostError("nobody is there to hear it"),)]
        with pytest.raises(AnswerLostError):
            provider.send(f"{job_id}-0", Work(JobKind.SAMPLE, ()), Plan((), (), 0.0, 0, safe_inline=False))
    sent = len(provider.sent)
    here.lose(job_id)
    followed = there.take(job_id)
    there.step(followed)
    assert len(provider.sent) == sent
    assert there.job(job_id).in_doubt is not arrived
    there.see_through(followed, until=lambda: there.states(job_id)[-1] == "accepted")
    assert len(provider.sent) == sent + (not arrived)
    assert there.states(job_id) == (["accepted"] if arrived else ["refused", "accepted"])


def test_what_was_only_intended_never_left_and_is_sent_on_its_own_line(
    here: Desk, there: Desk, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = here.submit()
    with monkeypatch.context() as patch:
        patch.setattr("antiphon.engine.providers.sending.set_out", lambda *_: die())
        with pytest.raises(Died):
            here.step(here.take(job_id))
    assert here.states(job_id) == ["intended"]
    here.lose(job_id)
    there.step(there.take(job_id))
    (line,) = there.lines(job_id)
    assert line.state.value == "accepted"
    assert line.fence == 2
    assert there.log(job_id).count("in doubt") == 0


def test_who_lost_the_lease_before_it_set_out_sends_nothing(
    here: Desk, there: Desk, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = here.submit()
    followed = here.take(job_id)

    def too_late(*args: object) -> object:
        monkeypatch.undo()
        here.lose(job_id)
        there.step(there.take(job_id))
        return set_out(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sending, "set_out", too_late)
    assert here.step(followed) is None
    assert len(provider.sent) == 1
    assert there.states(job_id) == ["accepted"]


def test_a_late_answer_of_a_lost_lease_changes_nothing(here: Desk, there: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    late = here.take(job_id)
    here.step(late)
    here.lose(job_id)
    followed = there.take(job_id)
    provider.end()
    assert here.step(late) is None
    assert there.job(job_id).status is JobStatus.EXECUTING
    assert there.states(job_id) == ["accepted"]
    there.see_through(followed)
    before = there.lines(job_id)
    assert here.step(late) is None
    assert there.lines(job_id) == before
    assert there.log(job_id).count("succeeded") == 1


def test_an_answer_that_comes_after_the_lease_was_lost_is_found_by_who_has_it(
    here: Desk, there: Desk, provider: ScriptedProvider
) -> None:
    job_id = here.submit()
    late = here.take(job_id)
    followed = []

    def meanwhile() -> None:
        provider.during = None
        here.lose(job_id)
        followed.append(there.take(job_id))
        there.step(followed[0])

    provider.during = meanwhile
    assert here.step(late) is None
    assert there.states(job_id) == ["in doubt"]
    there.step(followed[0])
    assert there.states(job_id) == ["accepted"]
    assert len(provider.sent) == 1


def test_an_answer_that_could_not_be_stored_is_kept_until_it_can(
    here: Desk, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.knows_keys = False
    job_id = here.submit()
    followed = here.take(job_id)
    with monkeypatch.context() as patch:

        def broken(*_: object) -> None:
            raise StoreError("The database went away.")

        patch.setattr("antiphon.engine.providers.sending.note", broken)
        with pytest.raises(StoreError):
            here.step(followed)
    assert here.states(job_id) == ["sent"]
    here.step(followed)
    assert here.states(job_id) == ["accepted"]
    assert here.log(job_id).count("in doubt") == 0


def test_engines_that_die_over_a_job_do_not_make_it_fail(here: Desk, there: Desk, provider: ScriptedProvider) -> None:
    job_id = here.submit()
    for _ in range(here.ctx.settings.max_attempts + 2):
        here.step(here.take(job_id))
        here.ctx.held.clear()
        put_back_orphans(here.ctx)
    assert here.job(job_id).status is JobStatus.WAITING
    assert len(provider.sent) == 1
    assert recover(there.ctx) == []


def test_what_a_provider_has_is_taken_up_before_anything_starts(tmp_path: Path, provider: ScriptedProvider) -> None:
    """It runs there, whoever else's turn it is: to start another one in its slot would be one too many."""
    clock = ManualClock()
    with desk(tmp_path, provider, clock) as here:
        set_queue_policy(here.ctx, target=TARGET, slots=1, by="op")
        sent = here.submit()
        here.step(here.take(sent))
        clock.advance(1.0)
        first = here.submit(priority=Priority.HIGH)
        here.ctx.held.clear()
        release(here.ctx)
    with desk(tmp_path, provider, clock) as there:
        beat(there.ctx)
        assert [job.id for job in claim(there.ctx, 9, 9)] == [sent]
        assert claim(there.ctx, 9, 9) == []
        there.ctx.held.clear()
        assert there.log(sent).count("claimed") == 2
        assert there.job(first).status is JobStatus.WAITING


def test_what_a_provider_has_is_taken_up_although_its_slots_are_taken(
    tmp_path: Path, provider: ScriptedProvider
) -> None:
    clock = ManualClock()
    with desk(tmp_path, provider, clock) as here:
        set_queue_policy(here.ctx, target=TARGET, slots=2, by="op")
        jobs = [here.submit() for _ in range(2)]
        for job in jobs:
            here.step(here.take(job))
        set_queue_policy(here.ctx, target=TARGET, slots=1, by="op")
        for job in jobs:
            here.lose(job)
        here.ctx.held.clear()
        assert sorted(job.id for job in claim(here.ctx, 9, 1)) == sorted(jobs)[:1]
        assert sorted(job.id for job in claim(here.ctx, 9, 9)) == sorted(jobs)[1:]
