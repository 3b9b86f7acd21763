"""A Bell pair from Qiskit, in ten lines."""

from qiskit import QuantumCircuit

from antiphon import Workspace

circuit = QuantumCircuit(2)
circuit.h(0)
circuit.cx(0, 1)
circuit.measure_all()

target = Workspace().target("sim.auto")
job = target.submit(circuit, shots=1000, name="bell", seed=7)
print(job.result().counts)  # {'00': 513, '11': 487}
