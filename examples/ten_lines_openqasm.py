"""A Bell pair from OpenQASM 3, in ten lines."""

from antiphon import Workspace

program = """OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
h q[0];
cx q[0], q[1];
bit[2] c = measure q;
"""

target = Workspace().target("sim.auto")
job = target.submit(program, shots=1000, name="bell", seed=7)
print(job.result().counts)  # {'00': 513, '11': 487}
