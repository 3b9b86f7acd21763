from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

import pytest
from azure.quantum.job.session import SessionStatus

from microsofts_samples import MODES, SAMPLES, Run, Sample


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_sample_runs(runs: Mapping[tuple[str, str], Future[Run]], sample: Sample, mode: str) -> None:
    done = runs[sample.name, mode].result()
    assert done.code == 0, done.out + done.err
    assert "['Job 1', 'Job 2', 'Job 3']" in done.out, done.out + done.err
    workspace = done.tenant.connect()
    [session] = workspace.list_sessions()
    assert session.details.name == sample.session
    assert session.details.status in {SessionStatus.SUCCEEDED, SessionStatus.EXECUTING}
    for job in session.list_jobs():
        job.wait_until_completed(timeout_secs=60, print_progress=False, max_poll_wait_secs=1)
        assert job.details.status == "Succeeded"
        assert job.details.input_params["shots"] == 100
        assert job.get_results()
    session.refresh()
    assert session.details.status == SessionStatus.SUCCEEDED
