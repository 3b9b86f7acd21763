"""A Bell pair from Cirq, in ten lines."""

import cirq

from antiphon import Workspace

a, b = cirq.LineQubit.range(2)
circuit = cirq.Circuit(cirq.H(a), cirq.CNOT(a, b), cirq.measure(a, b, key="m"))

target = Workspace().target("sim.auto")
job = target.submit(circuit, shots=1000, name="bell", seed=7)
print(job.result().counts)  # {'00': 513, '11': 487}
