from __future__ import annotations

import dataclasses

from antiphon.domain.batches import BatchItem
from antiphon.domain.jobs import Job, JobEvent, JobStatus, JobTrigger, advance
from antiphon.domain.sessions import Session, SessionStatus
from antiphon.domain.submissions import Submission, SubmissionEvent, SubmissionTrigger, advance_submission
from antiphon.domain.webhooks import Delivery, DeliveryStatus
from antiphon.ports.archive_store import Archived
from antiphon.ports.job_store import Artefact, JobStore, StoredResult
from antiphon.ports.webhook_store import DeliveryQuery
from stored_facts import T0, add_job, add_session, claim, success

FAR = T0 + 1e9


def _ended(store: JobStore, **changes: object) -> Job:
    job = claim(store, add_job(store, **changes))
    event = success(job)
    after = advance(job, event)
    with store.write() as tx:
        tx.save_job(job, after, event)
    return after


def _went(job: Job | Session, kind: str = "job") -> Archived:
    return Archived(id=job.id, workspace=job.workspace, kind=kind, archived_at=T0, file="/somewhere/2023-11/a.jsonl.gz")


def test_an_ended_job_goes_with_everything_of_it(store: JobStore) -> None:
    job, other = _ended(store), _ended(store)
    with store.write() as tx:
        for each in (job, other):
            tx.add_items(each.id, 2)
            tx.add_result(StoredResult(each.id, 1, "[]", None))
            tx.add_submission(
                Submission(id=f"sub-{each.id}", job_id=each.id, target="t", key=each.id, fence=1, intended_at=T0)
            )
    with store.write() as tx:
        assert tx.forget_job(job, _went(job))
        assert not tx.forget_job(job, _went(job))
    with store.read() as tx:
        assert tx.job(job.id) is None
        assert (tx.items(job.id), tx.result(job.id), tx.submissions(job.id), tx.events(job.id)) == ([], None, [], [])
        assert len(tx.items(other.id)) == 2
        assert len(tx.events(other.id)) == 3
        assert tx.archived(job.id, workspace="default") == _went(job)
        assert tx.archived(job.id, workspace="other") is None
        assert tx.archived(other.id, workspace="default") is None
        assert sum(tx.count_jobs("default").values()) == 1


def test_the_newest_line_of_all_logs_stays(store: JobStore) -> None:
    job = _ended(store)
    with store.write() as tx:
        last = tx.last_seq()
        assert tx.forget_job(job, _went(job))
        assert tx.last_seq() == last
        assert len(tx.events(job.id)) == 1


def test_old_jobs_come_by_age_and_only_once(store: JobStore) -> None:
    jobs = [_ended(store) for _ in range(3)]
    add_job(store)
    elsewhere = _ended(store, workspace="elsewhere")
    with store.read() as tx:
        assert tx.workspaces_with_jobs() == ["default", "elsewhere"]
        assert tx.jobs_ended_before("default", FAR, None, 2) == jobs[:2]
        assert tx.jobs_ended_before("default", FAR, (jobs[1].created_at, jobs[1].id), 2) == jobs[2:]
        assert tx.jobs_ended_before("elsewhere", FAR, None, 9) == [elsewhere]
        assert jobs[1].ended_at is not None
        assert tx.jobs_ended_before("default", jobs[1].ended_at, None, 9) == jobs[:1]


def test_a_job_stays_while_its_provider_may_have_something_of_it(store: JobStore) -> None:
    job = _ended(store)
    line = Submission(id=f"sub-{job.id}", job_id=job.id, target="t", key=job.id, fence=1, intended_at=T0)
    with store.write() as tx:
        tx.add_submission(line)
    with store.read() as tx:
        assert tx.jobs_ended_before("default", FAR, None, 9) == []
    with store.write() as tx:
        tx.save_submission(
            line, advance_submission(line, SubmissionEvent(trigger=SubmissionTrigger.REFUSED, at=T0 + 1))
        )
    with store.read() as tx:
        assert tx.jobs_ended_before("default", FAR, None, 9) == [job]


def test_a_session_goes_when_it_has_ended_and_has_no_job(store: JobStore) -> None:
    ended = dataclasses.replace
    empty, full = (
        add_session(store, status=SessionStatus.SUCCEEDED, ended_at=T0 + 5, due_at=None, key=None) for _ in range(2)
    )
    open_one = add_session(store)
    job = _ended(store, session_id=full.id)
    with store.read() as tx:
        stored = {each.id: each for each in (tx.session(empty.id), tx.session(full.id)) if each is not None}
        found = tx.sessions_ended_before("default", FAR, None, 9)
        assert [each.id for each in found] == [each for each in (empty.id,) if stored[each].ended_at is not None]
        assert tx.workspaces_with_sessions() == ["default"]
    with store.write() as tx:
        assert not tx.forget_session(stored[full.id], _went(full, "session"))
        assert not tx.forget_session(ended(open_one), _went(open_one, "session"))
        assert tx.forget_session(stored[empty.id], _went(empty, "session"))
        assert tx.forget_job(job, _went(job))
        assert tx.forget_session(stored[full.id], _went(full, "session"))
        assert tx.session(full.id) is None
        assert tx.archived(full.id, workspace="default") == _went(full, "session")


def test_what_jobs_name_is_found(store: JobStore) -> None:
    job = _ended(store)
    with store.write() as tx:
        since = tx.last_seq()
        tx.add_result(StoredResult(job.id, 1, None, "sha256:result"))
    other = _ended(store)
    named = {"sha256:" + letter * 64 for letter in "abc"}
    with store.read() as tx:
        assert tx.artefacts_named("", 1) == (named | {"sha256:result"}, job.id)
        assert tx.artefacts_named(job.id, 9) == (named, other.id)
        assert tx.artefacts_named(other.id, 9) == (set(), None)
        assert tx.artefacts_named_since(since) == named
        assert tx.artefacts_named_since(0) == named | {"sha256:result"}
        assert tx.artefacts_named_since(tx.last_seq()) == set()


def test_what_programs_of_a_batch_name_counts_until_it_ends(store: JobStore) -> None:
    job = claim(store, add_job(store))
    own, theirs = {"sha256:" + letter * 64 for letter in "abc"}, {"sha256:compiled", "sha256:calibration"}
    provenance = {"planned": {"compiled": "sha256:compiled"}, "calibration": {"digest": "sha256:calibration"}}
    begun = BatchItem(1, JobStatus.EXECUTING)
    done = BatchItem(1, JobStatus.SUCCEEDED, provenance=provenance)
    with store.write() as tx:
        tx.add_items(job.id, 3)
        tx.save_item(job.id, BatchItem(1), begun)
        since = tx.last_seq()
        tx.save_item(job.id, begun, done)
    with store.read() as tx:
        assert tx.artefacts_named("", 9) == (own | theirs, job.id)
        assert tx.artefacts_named_since(since) == theirs
    gone = JobEvent(trigger=JobTrigger.LEASE_LOST, at=FAR, who="eng-1")
    with store.write() as tx:
        tx.save_job(job, waits := advance(job, gone), gone)
    with store.read() as tx:
        assert tx.artefacts_named("", 9) == (own | theirs, job.id)
        assert tx.artefacts_named_since(since) == own | theirs
    cancelled = JobEvent(trigger=JobTrigger.CANCELLED, at=FAR, who="ada")
    with store.write() as tx:
        tx.save_job(waits, advance(waits, cancelled), cancelled)
    with store.read() as tx:
        assert tx.artefacts_named("", 9) == (own, job.id)


def test_artefacts_go_and_tell_the_blobs_that_nobody_names(store: JobStore) -> None:
    with store.write() as tx:
        tx.add_artefact(Artefact("sha256:1", "program", b"x", None, {"compiled": "sha256:2"}))
        tx.add_artefact(Artefact("sha256:2", "compiled", None, "sha256:shared"))
        tx.add_artefact(Artefact("sha256:3", "result", None, "sha256:shared"))
        tx.add_artefact(Artefact("sha256:4", "result", None, "sha256:alone"))
    with store.write() as tx:
        tx.lock_artefacts()
        assert tx.stored_artefacts("", 2) == [("sha256:1", "sha256:2"), ("sha256:2", None)]
        assert tx.stored_artefacts("sha256:3", 9) == [("sha256:4", None)]
        assert tx.forget_artefacts(["sha256:1", "sha256:2", "sha256:4"]) == ["sha256:alone"]
        assert tx.forget_artefacts(["sha256:3", "sha256:unknown"]) == ["sha256:shared"]
        assert tx.forget_artefacts([]) == []
    with store.read() as tx:
        assert tx.stored_artefacts("", 9) == []


def test_deliveries_that_are_over_go(store: JobStore) -> None:
    def delivery(number: int, *, over: bool) -> Delivery:
        return Delivery(
            id=f"msg-{number}",
            workspace="default",
            endpoint="whe-1",
            type="job.failed",
            subject="job-1",
            body={},
            created_at=T0 + number,
            next_at=None if over else T0 + number,
            status=DeliveryStatus.DELIVERED if over else DeliveryStatus.PENDING,
        )

    with store.write() as tx:
        tx.add_deliveries([delivery(number, over=number != 2) for number in range(5)])
        assert tx.forget_deliveries(T0 + 3.5, 2) == 2
        assert tx.forget_deliveries(T0 + 3.5, 9) == 1
        assert tx.forget_deliveries(T0 + 3.5, 9) == 0
        left = tx.find_deliveries(DeliveryQuery("default"))
        assert [each.id for each in left] == ["msg-4", "msg-2"]
