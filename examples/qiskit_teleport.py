"""A dynamic circuit: a state is teleported, with its corrections decided by measurements while the qubits live."""

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter

from antiphon.qiskit import AntiphonProvider, SamplerV2


def teleport() -> QuantumCircuit:
    theta = Parameter("θ")
    qubits = QuantumRegister(3, "q")
    sent_x, sent_z, received = (ClassicalRegister(1, name) for name in ("sent_x", "sent_z", "received"))
    circuit = QuantumCircuit(qubits, sent_x, sent_z, received, name="teleport")
    circuit.ry(theta, 0)  # the state to send
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure(1, sent_x[0])
    circuit.measure(0, sent_z[0])
    with circuit.if_test((sent_x, 1)):
        circuit.x(2)
    with circuit.if_test((sent_z, 1)):
        circuit.z(2)
    circuit.measure(2, received[0])
    return circuit


def main() -> None:
    sampler = SamplerV2(AntiphonProvider().backend("sim.auto"))
    angles = np.linspace(0, np.pi, 7)
    data = sampler.run([(teleport(), angles)], shots=2000).result()[0].data
    for index, angle in enumerate(angles):
        ones = data.received[index].get_int_counts().get(1, 0) / 2000
        print(f"θ = {angle:.3f}: received 1 in {ones:6.1%} of the shots, sent {np.sin(angle / 2) ** 2:6.1%}")


if __name__ == "__main__":
    main()
