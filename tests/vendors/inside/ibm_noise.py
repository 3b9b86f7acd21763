"""Counts of compiled circuits under Qiskit Aer's own model of a vendor's snapshot: NoiseModel.from_backend.

    python ibm_noise.py SHOTS BACKEND CIRCUITS.qpy [BACKEND CIRCUITS.qpy …]

Prints a JSON array, for each file the counts of each of its circuits. BACKEND is FakeManilaV2, say; delays are in its
ticks.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

from qiskit import qpy
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel
from qiskit_ibm_runtime import fake_provider

shots, *asked = sys.argv[1:]
found = []
for name, file in zip(asked[::2], asked[1::2], strict=True):
    with Path(file).open("rb") as opened:
        circuits = qpy.load(opened)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of figures that IBM published and that cannot be, T2 beyond 2·T1
        noise = NoiseModel.from_backend(getattr(fake_provider, name)())
    simulator = AerSimulator(method="density_matrix", noise_model=noise, seed_simulator=11, max_parallel_threads=1)
    found.append([simulator.run(circuit, shots=int(shots)).result().get_counts() for circuit in circuits])
sys.stdout.write(json.dumps(found))
