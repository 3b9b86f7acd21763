"""The life of a job, and lists of many: section 13 of what was measured of the protocol."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.quantum import Job, JobStatus, Workspace
from azure.quantum.job.session import SessionStatus

from server_under_test import Server, Tenant
from wire_programs import compiled, ended, ionq, qsharp, submit_bell, submit_garbage, target_of, unique

SLOW = """
operation Slow() : Int {
    use qs = Qubit[18];
    mutable ones = 0;
    for _ in 1..40 {
        for q in qs { H(q); T(q); }
        for i in 0..16 { CNOT(qs[i], qs[i + 1]); }
        if M(qs[0]) == One { set ones += 1; }
    }
    ResetAll(qs);
    ones
}
"""


def test_a_job_gives_its_histogram(workspace: Workspace) -> None:
    job = submit_bell(ionq(workspace), tags=["a", "b"])
    assert not job.has_completed() or job.has_succeeded()
    ended(job)
    assert job.details.status == JobStatus.SUCCEEDED
    histogram = job.get_results()["histogram"]
    assert set(histogram) == {"0", "3"}
    assert sum(histogram.values()) == pytest.approx(1)
    assert job.details.tags == ["a", "b"]
    for moment in (job.details.creation_time, job.details.begin_execution_time, job.details.end_execution_time):
        assert isinstance(moment, datetime)


def test_a_job_read_again_is_the_same(workspace: Workspace) -> None:
    job = ended(submit_bell(ionq(workspace)))
    again = workspace.get_job(job.id)
    assert type(again) is type(job)
    for name in ("name", "input_params", "input_data_format", "output_data_format", "target", "provider_id"):
        assert getattr(again.details, name) == getattr(job.details, name), name
    assert again.get_results() == job.get_results()


def test_submitting_the_same_job_twice_is_one_job(workspace: Workspace) -> None:
    job = submit_bell(ionq(workspace))
    again = workspace.submit_job(Job(workspace, job.details))
    assert again.id == job.id
    assert [each.id for each in workspace.list_jobs(name_match=job.details.name)] == [job.id]


def test_a_job_can_be_renamed_tagged_and_given_another_priority(workspace: Workspace) -> None:
    job = submit_bell(ionq(workspace))
    job.update(name=unique("renamed"), priority="High", tags=["x"])
    again = workspace.get_job(job.id)
    assert again.details.name.startswith("renamed-")
    assert (again.details.priority, again.details.tags) == ("High", ["x"])
    job.update(tags=[])
    again = workspace.get_job(job.id)
    assert (again.details.name, again.details.tags) == (job.details.name, [])


def test_a_deleted_job_is_gone(workspace: Workspace) -> None:
    job = ended(submit_bell(ionq(workspace)))
    job.delete()
    with pytest.raises(ResourceNotFoundError) as refused:
        workspace.get_job(job.id)
    assert refused.value.error.code
    assert job.details.name not in {each.details.name for each in workspace.list_jobs()}


def test_what_has_ended_cannot_be_cancelled(workspace: Workspace) -> None:
    job = ended(submit_bell(ionq(workspace)))
    with pytest.raises(ResourceExistsError):
        workspace.cancel_job(job)
    assert workspace.get_job(job.id).details.status == JobStatus.SUCCEEDED


def test_a_waiting_job_is_cancelled_at_once(held: Tenant) -> None:
    workspace = held.connect()
    job = submit_bell(ionq(workspace))
    assert job.details.status == JobStatus.WAITING
    job = workspace.cancel_job(job)
    assert job.details.status == JobStatus.CANCELLED
    assert isinstance(job.details.cancellation_time, datetime)
    with pytest.raises(RuntimeError, match="CANCELLED"):
        job.get_results()


def test_a_running_job_can_be_cancelled(workspace: Workspace) -> None:
    qsharp.init(target_profile=qsharp.TargetProfile.Adaptive_RI)
    qsharp.eval(SLOW)
    job = target_of(workspace, "sim.statevector").submit(qsharp.compile("Slow()"), unique("slow"), shots=100_000)
    for _ in range(300):
        job.refresh()
        if job.details.status != JobStatus.WAITING:
            break
        time.sleep(0.1)
    assert job.details.status == JobStatus.EXECUTING
    job = workspace.cancel_job(job)
    assert job.details.status in {JobStatus.CANCELLATION_REQUESTED, JobStatus.CANCELLING, JobStatus.CANCELLED}
    assert ended(job).details.status == JobStatus.CANCELLED


def test_a_program_that_cannot_be_read_is_a_failed_job(workspace: Workspace) -> None:
    job = ended(submit_garbage(target_of(workspace, "sim.auto")))
    assert job.details.status == JobStatus.FAILED
    assert job.details.error_data.code
    assert job.details.error_data.message
    with pytest.raises(RuntimeError) as failed:
        job.get_results()
    assert job.details.error_data.code in str(failed.value)


@pytest.mark.parametrize("format_", ["rigetti.quil.v1", "pasqal.pulser.v1", "no.such.format", ""])
def test_a_format_that_nothing_runs_is_refused_with_a_reason(workspace: Workspace, format_: str) -> None:
    target = target_of(workspace, "sim.auto")
    job = ended(
        target.submit(
            b"H 0", unique("odd"), shots=1, input_data_format=format_, output_data_format="", content_type="x"
        )
    )
    assert job.details.status == JobStatus.FAILED
    assert job.details.error_data.message


def test_a_target_that_does_not_exist(workspace: Workspace) -> None:
    assert workspace.get_targets("no.such.target") == []
    target = target_of(workspace, "sim.auto")
    target.name = "no.such.target"
    with pytest.raises(HttpResponseError) as refused:
        submit_garbage(target)
    assert refused.value.status_code in {400, 404}
    assert refused.value.error.message


@pytest.fixture(scope="module")
def many(server: Server) -> Tenant:
    """A workspace with 105 jobs: 90 of IonQ's name, 15 that failed on our own."""
    tenant = server.tenant("many-jobs")
    workspace = tenant.connect()
    target, own = ionq(workspace), target_of(workspace, "sim.auto")

    def one(number: int) -> None:
        if number % 7 == 3:
            submit_garbage(own, f"beta-{number:03}")
        else:
            submit_bell(target, f"alpha-{number:03}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(105)))
    ended(submit_bell(target, "last"))
    return tenant


def test_pages_of_forty_hold_all_of_105(many: Tenant) -> None:
    workspace = many.connect()
    pages = [list(page) for page in workspace.list_jobs_paginated(top=40).by_page()]
    assert [len(page) for page in pages] == [40, 40, 26]
    seen = [job.name for page in pages for job in page]
    assert len(set(seen)) == 106
    assert seen == [job.details.name for job in workspace.list_jobs()]


def test_pages_can_begin_further_on(many: Tenant) -> None:
    workspace = many.connect()
    everything = [job.name for job in workspace.list_jobs_paginated()]
    assert [job.name for job in workspace.list_jobs_paginated(skip=90, top=5)] == everything[90:]


def test_lists_are_oldest_first(many: Tenant) -> None:
    times = [job.details.creation_time for job in many.connect().list_jobs()]
    assert times == sorted(times)


def test_filters(many: Tenant) -> None:
    workspace = many.connect()

    def count(**given: object) -> int:
        return len(workspace.list_jobs(**given))

    assert count(name_match="alpha-") == 90
    assert count(name_match="beta-") == 15
    assert count(name_match="lph") == 0
    assert count(target=["sim.auto"]) == 15
    assert count(target=["sim.auto", "ionq.simulator"]) == 106
    assert count(provider=["ionq"]) == 91
    assert count(job_type=["QuantumComputing"]) == 106
    # Under Python 3.11 and later the client spells an enumeration's member, not its value.
    assert count(status=[JobStatus.FAILED]) == 15
    assert count(status=["Failed"]) == 15
    assert count(status=[JobStatus.FAILED, JobStatus.CANCELLED], name_match="alpha-") == 0
    today = datetime.now(UTC)
    assert count(created_after=today - timedelta(days=1)) == 106
    assert count(created_before=today) == 106
    assert count(created_before=today - timedelta(days=2)) == 0
    assert count(created_after=today + timedelta(days=2)) == 0


def test_orders(many: Tenant) -> None:
    workspace = many.connect()
    up = [job.details.name for job in workspace.list_jobs(orderby_property="Name")]
    down = [job.details.name for job in workspace.list_jobs(orderby_property="Name", is_asc=False)]
    assert up == sorted(up)
    assert down == up[::-1]
    newest = workspace.list_jobs(orderby_property="CreationTime", is_asc=False)
    assert newest[0].details.name == "last"


def test_a_quote_in_a_filter_stays_a_letter(many: Tenant) -> None:
    """The client escapes nothing; what it sends for this name must neither fail nor find anything else."""
    workspace = many.connect()
    assert workspace.list_jobs(name_match="it's") == []
    assert workspace.list_jobs(name_match="x') or startswith(Name, '") == []


def test_a_filter_that_is_none_is_refused(many: Tenant) -> None:
    with pytest.raises(HttpResponseError) as refused:
        many.connect().list_jobs(status=["NoSuchState"])
    assert refused.value.status_code == 400
    assert refused.value.error.message


def test_top_level_items_are_sessions_and_jobs_outside_of_them(workspace: Workspace) -> None:
    target = ionq(workspace)
    outside = unique("outside")
    submit_bell(target, outside)
    with target.open_session(name=unique("session")) as session:
        inside = submit_bell(target, unique("inside"))
    items = {item.id: item for item in workspace.list_top_level_items()}
    assert session.id in items
    assert inside.id not in items
    assert outside in {item.details.name for item in items.values()}
    assert {item.id for item in workspace.list_top_level_items(item_type=["Session"])} <= set(items)
    assert all(item.item_type == "Job" for item in workspace.list_top_level_items(item_type=["Job"]))
    assert session.id in {each.id for each in workspace.list_sessions(status=[SessionStatus.SUCCEEDED, "Executing"])}


def test_q_sharp_on_a_target_of_our_own(workspace: Workspace) -> None:
    job = ended(target_of(workspace, "sim.statevector").submit(compiled("Flip()"), unique("flip"), shots=7))
    assert job.get_results() == {"1": 1.0}
