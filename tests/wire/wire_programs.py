"""Small programs in the formats of Microsoft's clients, and ways to submit them."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import qsharp as qsharp  # tests take it from here
from azure.quantum import Job, Workspace
from azure.quantum.target import Target

QIR = {
    "input_data_format": "qir.v1",
    "output_data_format": "microsoft.quantum-results.v2",
    "content_type": "qir.v1",
}
BELL = {"qubits": 2, "circuit": [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]}
SOURCE = """
operation Flip() : Result { use q = Qubit(); X(q); MResetZ(q) }

operation Pair() : Result[] {
    use qs = Qubit[2];
    H(qs[0]);
    CNOT(qs[0], qs[1]);
    MResetEachZ(qs)
}
"""
ADAPTIVE_SOURCE = """
operation Walk(rounds : Int) : (Int, Bool, Result) {
    use q = Qubit();
    mutable ones = 0;
    for _ in 1..rounds {
        H(q);
        if MResetZ(q) == One { set ones += 1; }
    }
    X(q);
    (ones, ones > rounds, MResetZ(q))
}
"""
_numbers = itertools.count()


def compiled(expression: str, profile: qsharp.TargetProfile = qsharp.TargetProfile.Base) -> Any:
    """Q# as Microsoft's compiler gives it to `submit`."""
    qsharp.init(target_profile=profile)
    qsharp.eval(SOURCE if profile == qsharp.TargetProfile.Base else SOURCE + ADAPTIVE_SOURCE)
    return qsharp.compile(expression)


def unique(prefix: str) -> str:
    """A name that only this test has, and that begins as given."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}-{next(_numbers)}"


def target_of(workspace: Workspace, name: str) -> Target:
    """The one target of this name."""
    found = workspace.get_targets(name)
    assert isinstance(found, Target), f"{name}: {found}"
    return found


def ionq(workspace: Workspace) -> Target:
    return target_of(workspace, "ionq.simulator")


def submit_bell(target: Target, name: str | None = None, **options: Any) -> Job:
    return target.submit(BELL, name=name or unique("bell"), shots=20, **options)


def submit_garbage(target: Target, name: str | None = None, **options: Any) -> Job:
    return target.submit(b"this is no QIR", name=name or unique("garbage"), shots=20, **QIR, **options)


def ended(job: Job, seconds: float = 60) -> Job:
    """The job once the client counts it as finished."""
    job.wait_until_completed(timeout_secs=seconds, print_progress=False, max_poll_wait_secs=1)
    return job
