from __future__ import annotations

import subprocess
import sys
from pathlib import Path

THREADS_COME_AND_GO = """
import sys, threading
from antiphon.composition import build_engine
engine = build_engine(sys.argv[1], dispatch=False)
assert "qiskit" not in sys.modules
def compile():
    from qiskit import QuantumCircuit, transpile
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    transpile(circuit, basis_gates=["rz", "sx", "cx"], optimization_level=2)
for _ in range(4):
    thread = threading.Thread(target=compile)
    thread.start()
    thread.join()
engine.close()
print("fine")
"""


def test_an_engine_outlives_the_thread_that_imported_qiskit(tmp_path: Path) -> None:
    # Without the library loaded first this ends with a segmentation fault.
    found = subprocess.run(
        [sys.executable, "-c", THREADS_COME_AND_GO, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "fine\n"), found.stderr
