from __future__ import annotations

import dataclasses

import pytest

from antiphon.domain.jobs import JobStatus
from antiphon.domain.submissions import Submission, SubmissionEvent, SubmissionTrigger, advance_submission
from antiphon.ports.job_store import JobStore, VersionConflictError
from stored_facts import T0, add_job


def _line(job_id: str, number: int = 1, **changes: object) -> Submission:
    line = Submission(
        id=f"sub-{number}",
        job_id=job_id,
        target="qpu.one",
        key=f"key-{number}",
        fence=3,
        intended_at=T0 + number,
    )
    return dataclasses.replace(line, **changes)  # type: ignore[arg-type]


def _after(line: Submission, *triggers: SubmissionTrigger, **facts: object) -> Submission:
    for trigger in triggers:
        event = SubmissionEvent(trigger=trigger, at=line.intended_at + 1, **facts)  # type: ignore[arg-type]
        line = advance_submission(line, event)
    return line


def test_a_line_is_stored_as_it_advances(store: JobStore) -> None:
    job = add_job(store)
    line = _line(job.id)
    sent = _after(line, SubmissionTrigger.SENDING)
    accepted = _after(sent, SubmissionTrigger.ACCEPTED, provider_id="theirs-1")
    ended = _after(accepted, SubmissionTrigger.ENDED, error={"code": "é"}, cost=({"item": "shots", "amount": 5},))
    with store.write() as tx:
        tx.add_submission(line)
        for before, after in ((line, sent), (sent, accepted), (accepted, ended)):
            tx.save_submission(before, after)
            assert tx.submissions(job.id) == [after]
    with store.read() as tx:
        assert tx.submissions(job.id) == [ended]
        assert tx.submissions("job-unknown") == []


def test_who_read_an_older_line_changes_nothing(store: JobStore) -> None:
    job = add_job(store)
    line = _line(job.id)
    sent = _after(line, SubmissionTrigger.SENDING)
    refused = _after(line, SubmissionTrigger.REFUSED)
    with store.write() as tx:
        tx.add_submission(line)
        tx.save_submission(line, sent)
    with pytest.raises(VersionConflictError), store.write() as tx:
        tx.save_submission(line, refused)
    with store.read() as tx:
        assert tx.submissions(job.id) == [sent]


def test_lines_of_a_job_come_by_position_and_age(store: JobStore) -> None:
    job, other = add_job(store), add_job(store)
    second = _line(job.id, 1, position=1)
    again = _line(job.id, 3, parent="sub-2")
    first = _line(job.id, 2)
    with store.write() as tx:
        for line in (second, again, first, _line(other.id, 4)):
            tx.add_submission(line)
    with store.read() as tx:
        assert tx.submissions(job.id) == [first, again, second]


def test_what_a_provider_has_of_jobs_that_wait(store: JobStore) -> None:
    jobs = [add_job(store) for _ in range(4)] + [add_job(store, status=JobStatus.EXECUTING, owner="eng", fence=1)]
    sent, doubtful, accepted = (
        (SubmissionTrigger.SENDING,),
        (SubmissionTrigger.SENDING, SubmissionTrigger.ANSWER_LOST),
        (SubmissionTrigger.SENDING, SubmissionTrigger.ACCEPTED),
    )
    with store.write() as tx:
        for number, (job, triggers) in enumerate(zip(jobs, ((), doubtful, sent, accepted, accepted), strict=True)):
            tx.add_submission(_after(_line(job.id, number), *triggers))
    with store.read() as tx:
        assert tx.left_at_provider("qpu.one") == [job.id for job in jobs[1:4]]
        assert tx.left_at_provider("elsewhere") == []


def test_open_lines_are_those_that_are_not_final(store: JobStore) -> None:
    job = add_job(store)
    intended, late = _line(job.id, 1), _line(job.id, 5)
    refused = _after(_line(job.id, 2), SubmissionTrigger.REFUSED)
    doubtful = _after(_line(job.id, 3), SubmissionTrigger.SENDING, SubmissionTrigger.ANSWER_LOST)
    elsewhere = _line(job.id, 4, target="elsewhere")
    with store.write() as tx:
        for line in (late, intended, refused, doubtful, elsewhere):
            tx.add_submission(line)
        assert tx.open_submissions() == [intended, doubtful, elsewhere, late]
        assert tx.open_submissions("qpu.one") == [intended, doubtful, late]
        assert tx.open_submissions("none") == []
