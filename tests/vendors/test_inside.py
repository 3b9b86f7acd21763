"""What can be said of the live services without them, in each vendor's own environment."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from antiphon.adapters.targets.vendors.process import PROCESSES
from real_server import environment
from vendor_labs import environment_of

INSIDE = Path(__file__).parent / "inside"


@pytest.mark.parametrize(
    ("vendor", "script"),
    [
        pytest.param(vendor, script, marks=pytest.mark.xdist_group(f"vendor-{vendor}"), id=script)
        for vendor, script in (("braket", "braket_live"), ("ibm", "ibm_errors"), ("iqm", "iqm_live"))
    ],
)
def test_what_a_script_inside_says(vendor: str, script: str) -> None:
    done = subprocess.run(
        [environment_of(vendor) / "bin" / "python", INSIDE / f"{script}.py"],
        env=environment({"PYTHONPATH": str(PROCESSES), "AWS_EC2_METADATA_DISABLED": "true"}),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ok")
