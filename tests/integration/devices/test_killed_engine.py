"""An engine that is killed while a living device has its job: the device goes on, and the result counts once."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from antiphon import Workspace

SCRIPT = """
import sys
from antiphon import Workspace, emu
device = emu.manila("quiet", others_per_hour=(0.0,) * 24, calibration_takes_s=0.0, overhead_s=float(sys.argv[2]))
workspace = Workspace(sys.argv[1], workers=1, targets=[device])
job = workspace.target("emu.manila").submit(
    'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0],q[1]; c=measure q;', shots=500, seed=3
)
print(job.id, flush=True)
job.wait(60)
"""


def places(home: Path) -> int:
    file = home / "devices" / "emu.manila.db"
    if not file.exists():
        return 0
    with sqlite3.connect(file) as db:
        found = db.execute("SELECT count(*) FROM places").fetchone()[0]
    db.close()
    return int(found)


@pytest.mark.parametrize("overhead", [3.0, 0.3])
def test_killed_while_the_device_has_the_job(tmp_path: Path, overhead: float) -> None:
    """Long enough to be killed in the queue or while it runs; short enough to be killed about its end."""
    victim = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(overhead)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert victim.stdout is not None
        job_id = victim.stdout.readline().strip()
        until = time.monotonic() + 30.0
        while not places(tmp_path) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(overhead / 2)
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        if victim.stdout is not None:
            victim.stdout.close()
    with Workspace(tmp_path, workers=1) as workspace:
        record = workspace.job(job_id).wait(60).record
        assert record["status"] == "Succeeded"
        assert sum(record["result"][0]["counts"][0].values()) == 500
        assert [line["state"] for line in record["submissions"]] == ["ended"]
        assert record["provenance"]["life"]["profile"] == "quiet"
        with workspace._connection._ctx.store.read() as tx:  # type: ignore[attr-defined]
            assert tx.result(job_id) is not None
    assert places(tmp_path) == 1
