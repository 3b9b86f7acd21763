"""The bad inputs that the project promises to survive, each through the public door."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from antiphon import JobStatus, NoiseModel, Workspace
from antiphon.errors import (
    AntiphonError,
    LimitError,
    ObservableError,
    ParameterError,
    ProgramError,
    StoreError,
    UnsupportedProgramError,
)
from programs import BELL, ENDLESS

HEADER = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def rotation() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.rx(Parameter("theta"), 0)
    circuit.measure(0, 0)
    return circuit


@pytest.mark.parametrize(
    "include",
    ['include "/etc/passwd";', 'include "../secrets.inc";', '/* */ include\n"/etc/passwd";', "include '/etc/passwd';"],
)
@pytest.mark.parametrize("version", ["3.0", "2.0"])
def test_an_include_of_a_local_file_is_refused_and_echoes_nothing(ws: Workspace, version: str, include: str) -> None:
    with pytest.raises(ProgramError) as caught:
        ws.target("sim.auto").submit(f"OPENQASM {version};\n{include}\n")
    assert "root:" not in str(caught.value)
    assert caught.value.next_step
    assert ws.jobs() == []


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("OPENQASM 3.0;\nqubit[2] q;\nh q[0\n", ProgramError),
        (HEADER + "qubit q;\nfrobnicate q;\n", ProgramError),
        ("this is no program", ProgramError),
        ("", ProgramError),
        (b"\x00\x01\x02garbage", ProgramError),
        (b"BC\xc0\xdegarbage", ProgramError),
        (b"QISKITgarbage", ProgramError),
        ("; ModuleID = 'x'\ndefine void @main() #0 { ret vo", ProgramError),
        (HEADER + "qubit q;\n" + "(" * 20_000, (ProgramError, LimitError)),
        (HEADER + "qubit q;\nfor int i in [0:2000000000] { x q; }\n", LimitError),
        (3.14, ProgramError),
        (None, ProgramError),
    ],
)
def test_what_does_not_parse_is_refused_with_a_way_out(
    ws: Workspace, program: object, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    with pytest.raises(error) as caught:
        ws.target("sim.auto").submit(program)
    assert isinstance(caught.value, AntiphonError)
    assert caught.value.next_step
    assert ws.jobs() == []


def test_a_gate_the_target_lacks_is_named(ws: Workspace) -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.t(1)
    circuit.measure(0, 0)
    with pytest.raises(UnsupportedProgramError, match=r"\bt\b") as caught:
        ws.target("sim.stabilizer").submit(circuit)
    assert "sim.auto" in caught.value.next_step


def test_noise_is_refused_where_it_would_be_dropped(ws: Workspace) -> None:
    with pytest.raises(AntiphonError, match="noise"):
        ws.target("sim.statevector").submit(BELL, noise=NoiseModel(depolarizing_1q=0.01))
    with pytest.raises(AntiphonError, match="noise"):
        ws.target("sim.auto").submit(BELL, noise={"depolarising": 0.1})


def test_an_unknown_option_is_named(ws: Workspace) -> None:
    with pytest.raises(AntiphonError, match="bond_dimensoin"):
        ws.target("sim.auto").submit(BELL, bond_dimensoin=4)


def test_too_wide_for_memory_is_refused_never_tried(ws: Workspace) -> None:
    circuit = QuantumCircuit(48, 48)
    for left in range(48):
        circuit.ry(0.1 * left, left)
        for right in range(left):
            circuit.cp(0.3, left, right)
    circuit.measure(range(48), range(48))
    began = time.monotonic()
    with pytest.raises(LimitError, match="48"):
        ws.target("sim.statevector").submit(circuit)
    assert time.monotonic() - began < 30


@pytest.mark.embedded
def test_what_fits_the_machine_but_not_a_worker_is_refused_too(open_workspace: Callable[..., Workspace]) -> None:
    circuit = QuantumCircuit(24, 24)
    for qubit in range(24):
        circuit.ry(0.1 * qubit, qubit)
    circuit.cx(0, 23)
    circuit.measure(range(24), range(24))
    ws = open_workspace()
    ws._connection._ctx.executors["process"]._pool._memory = 2**20  # type: ignore[attr-defined]
    with pytest.raises(LimitError, match="worker") as caught:
        ws.target("sim.statevector").submit(circuit, execution="process")
    assert caught.value.code == "memory-exceeded"


@pytest.mark.embedded
def test_too_long_is_refused(ws: Workspace) -> None:
    doubled = "".join(f"gate twice{k + 1} q {{ twice{k} q; twice{k} q; }}\n" for k in range(20))
    source = f"{HEADER}gate twice0 q {{ x q; }}\n{doubled}qubit q;\ntwice20 q;\n"
    with pytest.raises(LimitError):
        ws.target("sim.auto").submit(source)


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        (None, "theta"),
        ({}, "theta"),
        ({"thta": 1.0}, "thta"),
        ({"theta": 1.0, "phi": 2.0}, "phi"),
        ({"theta": float("nan")}, "theta"),
        ([float("inf")], "theta"),
        ([1.0, 2.0], "1"),
        ({"theta": 1j}, "theta"),
        ({"theta": "one"}, "theta"),
    ],
)
def test_parameters_must_fit(ws: Workspace, parameters: object, word: str) -> None:
    with pytest.raises(ParameterError, match=word) as caught:
        ws.target("sim.auto").submit(rotation(), parameters=parameters)
    assert caught.value.next_step


@pytest.mark.parametrize("observable", [{"ZZZ": 1.0}, {"Z": 1j}, {"Q": 1.0}, {}, SparsePauliOp(["ZZ"]), "ZZ", 5])
def test_observables_must_fit(ws: Workspace, observable: object) -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    with pytest.raises(ObservableError) as caught:
        ws.target("sim.auto").estimate(circuit, observable)
    assert caught.value.next_step


def test_a_condition_on_a_whole_register_means_what_its_own_sdk_says(ws: Workspace) -> None:
    # Bit 0 is the least significant in Qiskit and OpenQASM, the most significant in Cirq: all three end in |1⟩ below.
    target = ws.target("sim.auto")
    qubits, flags, out = QuantumRegister(3, "q"), ClassicalRegister(2, "flags"), ClassicalRegister(1, "out")
    circuit = QuantumCircuit(qubits, flags, out)
    circuit.x(1)
    circuit.measure([0, 1], flags)
    with circuit.if_test((flags, 2)):
        circuit.x(2)
    circuit.measure(2, out)
    assert target.submit(circuit, shots=20).result(60).counts == {"1 10": 20}

    text = HEADER + (
        "qubit[3] q;\nbit[2] flags;\nbit[1] out;\nx q[1];\nflags[0] = measure q[0];\nflags[1] = measure q[1];\n"
        "if (flags == 2) { x q[2]; }\nout[0] = measure q[2];\n"
    )
    assert target.submit(text, shots=20).result(60).counts == {"1 10": 20}

    import cirq
    import sympy

    a, b, c = cirq.LineQubit.range(3)
    in_cirq = cirq.Circuit(
        cirq.X(b),
        cirq.measure(a, b, key="flags"),
        cirq.X(c).with_classical_controls(sympy.Eq(sympy.Symbol("flags"), 1)),
        cirq.measure(c, key="out"),
    )
    assert target.submit(in_cirq, shots=20).result(60).counts == {"1 10": 20}


def test_a_corrupt_store_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "antiphon.db"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        Workspace(tmp_path)
    assert caught.value.code == "store-corrupt"
    assert str(path) in str(caught.value)
    assert caught.value.next_step
    assert path.read_bytes() == before


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    Workspace(tmp_path).close()
    with sqlite3.connect(tmp_path / "antiphon.db") as database:
        database.execute("update antiphon_schema set version_num = '9999_from_the_future'")
    database.close()
    with pytest.raises(StoreError) as caught:
        Workspace(tmp_path)
    assert caught.value.code == "store-newer"


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("a file")
    with pytest.raises(StoreError) as caught:
        Workspace(tmp_path / "lab")
    assert caught.value.next_step


def mount(folder: Path, options: str) -> bool:
    """Mount a small file system of memory; False where only root may, and the caller is not."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return os.getuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_folder_without_permission(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    # Root may write anywhere but to a file system that is read-only.
    mounted = mount(locked, "size=1m,ro")
    if not mounted:
        if os.getuid() == 0:
            pytest.skip("root needs a read-only file system for this, and may not mount one here")
        locked.chmod(0o500)
    try:
        with pytest.raises(StoreError) as caught:
            Workspace(locked)
        assert caught.value.code == "store-permission"
        assert str(locked) in str(caught.value)
        assert caught.value.next_step
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(locked)], check=False)
        else:
            locked.chmod(0o700)


def test_a_full_disk_fails_the_submit_and_nothing_else(tmp_path: Path) -> None:
    small = tmp_path / "small"
    if not mount(small, "size=1m"):
        pytest.skip("a small file system is needed, and only root may mount one")
    try:
        with Workspace(small, workers=1) as ws:
            target = ws.target("sim.auto")
            first = target.submit(BELL, shots=10)
            with pytest.raises(StoreError) as caught:
                for index in range(5000):
                    target.submit(BELL, shots=10, name=f"filler {index} " * 50)
            assert caught.value.code == "store-full"
            assert caught.value.next_step
            known = {job.id for job in ws.jobs(limit=10_000)}
            subprocess.run(["mount", "-o", "remount,size=16m", str(small)], check=True)
            assert target.submit(BELL, shots=10).result(60)
            assert first.result().counts
            # The job whose end found the disk full is put back and runs again.
            for job_id in known:
                assert ws.job(job_id).result(60)
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


def test_ctrl_c_while_waiting_detaches_and_does_not_cancel(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(ENDLESS, shots=1)
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        job.result()
    assert job.status in {JobStatus.WAITING, JobStatus.EXECUTING}
    job.cancel().wait(60)
