"""Small programs in the formats of Microsoft's clients, and ways to submit them."""

from __future__ import annotations

import itertools
import uuid
from functools import partial
from typing import Any

import pyqir
import pyqir.rt
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


def with_parameters(**parameters: str) -> bytes:
    """Bitcode whose entry point `turn` takes doubles and truth values: each turns a qubit of its own, all measured."""
    context = pyqir.Context()
    module = pyqir.qir_module(context, "turn", 1, 0)
    void, types = pyqir.Type.void(context), {"double": pyqir.Type.double(context), "bool": pyqir.IntType(context, 1)}
    kind = pyqir.FunctionType(void, [types[each] for each in parameters.values()])
    entry = pyqir.Function(kind, pyqir.Linkage.EXTERNAL, "turn", module)
    profile = "adaptive_profile" if "bool" in parameters.values() else "base_profile"
    number = str(len(parameters))
    for name, value in {
        "entry_point": "",
        "output_labeling_schema": "",
        "qir_profiles": profile,
        "required_num_qubits": number,
        "required_num_results": number,
    }.items():
        pyqir.add_string_attribute(entry, name, value)
    builder = pyqir.Builder(context)
    builder.insert_at_end(pyqir.BasicBlock(context, "entry", entry))
    qubits = [pyqir.qubit(context, index) for index in range(len(parameters))]
    results = [pyqir.result(context, index) for index in range(len(parameters))]
    for name, parameter, qubit in zip(parameters, entry.params, qubits, strict=True):
        parameter.name = name
        if parameters[name] == "double":
            pyqir.qis.ry(builder, parameter, qubit)
        else:
            builder.if_(parameter, partial(pyqir.qis.x, builder, qubit))
    for qubit, result in zip(qubits, results, strict=True):
        pyqir.qis.mz(builder, qubit, result)
    label = pyqir.Constant.null(pyqir.PointerType(pyqir.IntType(context, 8)))
    pyqir.rt.array_record_output(builder, pyqir.const(pyqir.IntType(context, 64), len(results)), label)
    for result in results:
        pyqir.rt.result_record_output(builder, result, label)
    builder.ret(None)
    return bytes(module.bitcode)


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
