"""A Bell pair with Qiskit: one backend run, and the same with a primitive."""

from qiskit import QuantumCircuit

from antiphon.qiskit import AntiphonProvider, SamplerV2


def main() -> None:
    backend = AntiphonProvider().backend("sim.auto")

    circuit = QuantumCircuit(2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()

    job = backend.run(circuit, shots=1000, seed=7)
    print("backend.run:", job.result().get_counts())

    result = SamplerV2(mode=backend, options={"seed": 7}).run([circuit], shots=1000).result()
    print("SamplerV2:  ", result[0].data.meas.get_counts())

    # The record of the job is durable: any process that opens the same workspace can take it up and run it again.
    print("replay:     ", job.job.replay().agreement.detail)


if __name__ == "__main__":
    main()
