"""Makes the data of the emulated devices from what vendors publish. Run by hand, never in CI.

    python tools/extract_calibrations.py WHEELS OUT

WHEELS is a folder with the wheels named in `FROM_IBM` and `GOOGLE`, as a package index serves them (`pip download
--no-deps qiskit-ibm-runtime==0.35.0`, …). OUT gets one `NAME.json.gz` for each device. Nothing of the wheels is
imported: they are read as archives of JSON and text.

Figures keep six significant digits. Every choice that is not a copy of a published figure is in the notes of the
calibration it went into.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import statistics
import sys
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from antiphon.domain.calibrations import Calibration, GateFigures, QubitFigures
from antiphon.domain.devices import Counted, DeviceLimit

FROM_IBM = {
    # Device: (its name at IBM, versions of qiskit-ibm-runtime that hold snapshots of it at different dates)
    "emu.heron": ("fez", ("0.35.0", "0.51.0")),
    "emu.falcon": ("hanoi", ("0.23.0", "0.34.0", "0.36.0", "0.51.0")),
    "emu.manila": ("manila", ("0.23.0", "0.34.0")),
}
IBM_FEEDFORWARD_S = 700e-9
GOOGLE = ("cirq_google", "1.7.0")
GOOGLE_TIME = 1723795877.630
"""MEDIAN_CALIBRATION_TIMESTAMPS["willow_pink"] of cirq_google.engine.virtual_engine_factory."""

BROKEN = 0.5
"""A gate with at least this error, or without one, is out of order: the vendors write 1.0."""

_IBM = "qiskit_ibm_runtime/fake_provider/backends/{name}/{kind}_{name}.json"
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def main(wheels: Path, out: Path) -> None:
    """Write the file of every device."""
    for target, (name, versions) in FROM_IBM.items():
        _write(out, target, _ibm_shape(wheels, name, versions[-1]), [_ibm(wheels, target, name, v) for v in versions])
    _write(out, "emu.willow", *_google(wheels))
    _write(out, "emu.ion", *_quantinuum())


def _write(out: Path, target: str, shape: dict[str, Any], calibrations: Iterable[Calibration]) -> None:
    listed = sorted(calibrations, key=lambda each: each.taken_at)
    shape = {**shape, "limits": [each.to_json() for each in shape["limits"]]}
    body = {"device": shape, "calibrations": [each.to_json() for each in listed]}
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    path = out / f"{target.removeprefix('emu.')}.json.gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(path.name, path.stat().st_size, [datetime.fromtimestamp(each.taken_at, UTC).date() for each in listed])
    for each in listed:
        print("  ", *each.notes, sep="\n    ")


def _qubit(t1: float, t2: float, p01: float, p10: float) -> QubitFigures:
    t1 = _rounded(t1)
    return QubitFigures(t1, min(_rounded(t2), 2 * t1), _rounded(p01), _rounded(p10))


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


# --- IBM: qiskit-ibm-runtime, Apache-2.0 ------------------------------------------------------------------------------


_IBM_PAGE = "IBM Quantum documentation, Job limits (https://quantum.cloud.ibm.com/docs/guides/job-limits), 2025"

IBM_LIMITS = (
    DeviceLimit(Counted.EXECUTIONS, 10_000_000, f"{_IBM_PAGE}; for sampling"),
    DeviceLimit(Counted.TWO_QUBIT_GATES, 5_000_000, _IBM_PAGE),
    DeviceLimit(
        Counted.INSTRUCTIONS,
        26_800_000,
        f"{_IBM_PAGE}: what the memory of the control system holds, by the heuristic that is published there",
        weights={"rz": 1, "delay": 1, "sx": 2, "x": 2, "cx": 5, "cz": 5, "measure": 10, "reset": 17},
    ),
)


def _ibm_files(wheels: Path, name: str, version: str) -> tuple[dict[str, Any], dict[str, Any]]:
    with zipfile.ZipFile(_wheel(wheels, "qiskit_ibm_runtime", version)) as archive:
        return json.loads(archive.read(_IBM.format(name=name, kind="props"))), json.loads(
            archive.read(_IBM.format(name=name, kind="conf"))
        )


def _ibm_shape(wheels: Path, name: str, version: str) -> dict[str, Any]:
    _, conf = _ibm_files(wheels, name, version)
    processor = conf["processor_type"]
    configured = f"conf_{name}.json in qiskit-ibm-runtime {version}"
    return {
        "family": "superconducting",
        "described": f"IBM {processor['family']} r{processor['revision']} (ibm_{name})",
        "num_qubits": conf["n_qubits"],
        "native_gates": [gate for gate in conf["basis_gates"] if gate not in ("id", "reset")],
        "mid_circuit": True,
        "limits": [
            DeviceLimit(Counted.SHOTS, conf["max_shots"], f"max_shots of {configured}"),
            DeviceLimit(Counted.PROGRAMS, conf["max_experiments"], f"max_experiments of {configured}"),
            *IBM_LIMITS,
        ],
        "positions": conf["coords"],
        "shot_pause_s": _rounded(conf["default_rep_delay"] * 1e-6),
        "shot_pause_source": f"default_rep_delay of {configured}",
        "dt_s": conf["dt"] * 1e-9,
    }


def _ibm(wheels: Path, target: str, name: str, version: str) -> Calibration:
    props, conf = _ibm_files(wheels, name, version)
    notes = [
        "Time from a measurement to a gate that depends on it: assumed 0.7 µs, IBM publishes none here.",
        "Errors of a reset are not published. It is made by measuring, and flipping a qubit that read 1, so it is "  # noqa: ISC004
        "taken to be wrong as often as a measurement is of a qubit that is in 0 and 1 equally often.",
    ]
    found = [{item["name"]: _scaled(item) for item in qubit} for qubit in props["qubits"]]
    qubits = []
    for number, item in enumerate(found):
        t2 = min(item["T2"], 2 * item["T1"])
        if t2 < item["T2"]:
            notes.append(f"T2 of qubit {number} was {item['T2'] * 1e6:.1f} µs, longer than 2·T1: shortened to it.")
        qubits.append(_qubit(item["T1"], t2, item["prob_meas1_prep0"], item["prob_meas0_prep1"]))
    gates: dict[str, dict[tuple[int, ...], GateFigures]] = {}
    broken: dict[str, list[str]] = {}
    resets = []
    for gate in props["gates"]:
        item = {parameter["name"]: _scaled(parameter) for parameter in gate["parameters"]}
        kind, on = gate["gate"], tuple(gate["qubits"])
        if kind == "reset":
            resets.append(item["gate_length"])
        if kind not in conf["basis_gates"] or kind in ("id", "reset"):
            continue
        error = item.get("gate_error", 1.0)
        if not error < BROKEN:
            broken.setdefault(kind, []).append("-".join(map(str, on)))
            continue
        gates.setdefault(kind, {})[on] = GateFigures(_rounded(error), _rounded(item["gate_length"]))
    for kind, places in sorted(broken.items()):
        notes.append(f"Left out because their error was published as 1: {kind} on {', '.join(places)}.")
    measure = statistics.median(item["readout_length"] for item in found)
    if not resets:
        notes.append("Duration of a reset: assumed to be that of a measurement and a gate, none was published.")
    reset = statistics.median(resets) if resets else measure + statistics.median(x.seconds for x in gates["x"].values())
    return Calibration(
        target=target,
        taken_at=datetime.fromisoformat(props["last_update_date"]).timestamp(),
        qubits=tuple(qubits),
        gates=gates,
        measure_s=_rounded(measure),
        reset_s=_rounded(reset),
        feedforward_s=IBM_FEEDFORWARD_S,
        source=f"ibm_{name} {props['backend_version']} as of {props['last_update_date']}, from qiskit-ibm-runtime "
        f"{version}, {_IBM.format(name=name, kind='props')}; Apache-2.0, (C) IBM",
        notes=tuple(notes),
        resets_by_measuring=True,
    )


def _scaled(item: dict[str, Any]) -> float:
    value: float = item["value"]
    return value * _SECONDS.get(item.get("unit", ""), 1.0)


# --- Google: cirq-google, Apache-2.0 ----------------------------------------------------------------------------------


def _google(wheels: Path) -> tuple[dict[str, Any], list[Calibration]]:
    file = "cirq_google/devices/calibrations/willow_pink_d7v1-2024_08_16_calibration.json"
    spec_file = "cirq_google/devices/specifications/willow_pink_d7v1-2024_08_16_device_spec_for_grid_device.proto.txt"
    with zipfile.ZipFile(_wheel(wheels, *GOOGLE)) as archive:
        metrics = json.loads(archive.read(file))["metrics"]["metrics"]
        spec = archive.read(spec_file).decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for metric in metrics:
        found.setdefault(metric["name"], {})[tuple(metric["targets"])] = float(metric["values"][0]["doubleVal"])
    seconds = {kind: int(picos) * 1e-12 for picos, kind in re.findall(r"gate_duration_picos: (\d+)\s+(\w+) \{", spec)}
    places = sorted((target[0] for target in found["single_qubit_idle_t1_micros"]), key=_grid)
    number = {place: index for index, place in enumerate(places)}
    one_qubit_s = seconds["phased_xz"]
    qubits = []
    one: dict[tuple[int, ...], GateFigures] = {}
    for place in places:
        key = (place,)
        t1 = found["single_qubit_idle_t1_micros"][key] * 1e-6
        dephasing = found["single_qubit_rb_incoherent_error_per_gate"][key] - one_qubit_s / (3 * t1)
        t_phi = one_qubit_s / (3 * dephasing) if dephasing > 0 else math.inf
        t2 = 1 / (1 / (2 * t1) + (1 / t_phi))
        p01, p10 = found["single_qubit_p00_error"][key], found["single_qubit_p11_error"][key]
        qubits.append(_qubit(t1, t2, p01, p10))
        average = 2 / 3 * found["single_qubit_rb_pauli_error_per_gate"][key]
        one[(number[place],)] = GateFigures(_rounded(average), one_qubit_s)
    pairs: dict[tuple[int, ...], GateFigures] = {}
    for (a, b), pauli in found["two_qubit_parallel_cz_gate_xeb_pauli_error_per_cycle"].items():
        for pair in ((number[a], number[b]), (number[b], number[a])):
            pairs[pair] = GateFigures(_rounded(4 / 5 * pauli), seconds["cz"])
    virtual = {on: GateFigures(0.0, 0.0) for on in one}
    calibration = Calibration(
        target="emu.willow",
        taken_at=GOOGLE_TIME,
        qubits=tuple(qubits),
        gates={"rx": one, "ry": one, "rz": virtual, "cz": dict(sorted(pairs.items()))},
        measure_s=seconds["meas"],
        reset_s=seconds["reset"],
        feedforward_s=1e-6,
        source=f"willow_pink_d7v1 as of 2024-08-16, from cirq-google {GOOGLE[1]}, {file} (durations: {spec_file}); "
        "Apache-2.0, (C) The Cirq Developers",
        notes=(
            "Errors are published as Pauli errors; average infidelities are 2/3 of them for one qubit, 4/5 for two.",
            "The error of cz is that of a whole cycle in parallel, one-qubit gates included, which so count twice.",
            "Published and not in the noise: by how much entangling angles are off. Errors of a cycle contain it as "  # noqa: ISC004
            "if it were random.",
            "Errors of a reset are not published, and there are none.",
            "T2 is not published: from T1 and the incoherent error of one-qubit gates, as cirq-google does it.",
            "PhasedXZ, one pulse for every rotation, is offered as rx and ry with virtual rz.",
            "Time from a measurement to a gate that depends on it: assumed 1 µs, none is published.",
        ),
    )
    shape = {
        "family": "superconducting",
        "described": "Google Willow (willow_pink)",
        "num_qubits": len(places),
        "native_gates": ["rx", "ry", "rz", "cz"],
        "mid_circuit": True,
        "limits": [
            DeviceLimit(Counted.SHOTS, 1_000_000, "Assumed: Google publishes none.", published=False),
            DeviceLimit(Counted.PROGRAMS, 300, "Assumed to be IBM's: Google publishes none.", published=False),
            DeviceLimit(
                Counted.SECONDS,
                40e-6,
                "Cirq's documentation, Google devices (https://quantumai.google/cirq/google/devices): about 40 µs, "
                'beyond which a circuit is answered with "Program too long"',
            ),
        ],
        "positions": [_grid(place)[::-1] for place in places],
        "shot_pause_s": 250e-6,
        "shot_pause_source": "Assumed to be IBM's: Google publishes none.",
    }
    return shape, [calibration]


def _grid(place: str) -> tuple[int, ...]:
    return tuple(int(part) for part in place.split("_"))


# --- Quantinuum: the figures of its product data sheets ---------------------------------------------------------------

H2_LAYER_S = 20e-3
"""Assumed. Only its ratio to T2 enters a result, and T2 is chosen so that the published memory error comes out."""

H2 = (
    # Date, machine, qubits then, one-qubit error, two-qubit error, memory error, 0 read as 1, 1 read as 0, crosstalk
    ("2024-05-20T00:00:00+00:00", "H2-1", 56, 2.9e-5, 1.28e-3, 5.0e-4, 0.0005, 0.0025, 7.4e-6),
)

H2_LONGEST = 3
"""Assumed: a shot lasts so many T2 at most."""


def _quantinuum() -> tuple[dict[str, Any], list[Calibration]]:
    calibrations = [_h2(*row) for row in H2]
    t2 = calibrations[-1].qubits[0].t2
    shape = {
        "family": "ion-trap",
        "described": "Quantinuum H2",
        "num_qubits": H2[0][2],
        "native_gates": ["rx", "ry", "rz", "rzz"],
        "all_to_all": True,
        "mid_circuit": True,
        "limits": [
            DeviceLimit(Counted.SHOTS, 10_000, "max_n_shots of H2-1 in pytket-quantinuum's list of machines"),
            DeviceLimit(Counted.PROGRAMS, 300, "Assumed to be IBM's: Quantinuum publishes none.", published=False),
            DeviceLimit(
                Counted.SECONDS,
                _rounded(H2_LONGEST * t2),
                f"Assumed: Quantinuum publishes none. After {H2_LONGEST} T2 a qubit that waited has lost 95 % of its "
                "phase.",
                published=False,
            ),
        ],
        "shot_pause_s": 0.0,
        "shot_pause_source": "Assumed: Quantinuum publishes none; cooling and loading ions take no time here.",
    }
    return shape, calibrations


def _h2(
    date: str,
    machine: str,
    num_qubits: int,
    one: float,
    two: float,
    memory: float,
    p01: float,
    p10: float,
    crosstalk: float,
) -> Calibration:
    # Dephasing for a time t has the average infidelity (1 - exp(-t/T2))/3.
    t2 = -H2_LAYER_S / math.log(1 - 3 * memory)
    each: dict[tuple[int, ...], GateFigures] = {(qubit,): GateFigures(one, 5e-6) for qubit in range(num_qubits)}
    return Calibration(
        target="emu.ion",
        taken_at=datetime.fromisoformat(date).timestamp(),
        qubits=(QubitFigures(math.inf, _rounded(t2), p01, p10),) * num_qubits,
        gates={
            "rx": each,
            "ry": each,
            "rz": {on: GateFigures(0.0, 0.0) for on in each},
            "rzz": {
                (a, b): GateFigures(two, H2_LAYER_S) for a in range(num_qubits) for b in range(num_qubits) if a != b
            },
        },
        measure_s=120e-6,
        reset_s=10e-6,
        feedforward_s=1e-3,
        source=f"Quantinuum System Model {machine} as of {date[:10]}: one- and two-qubit gate error, memory error, "
        "measurement crosstalk and SPAM as published in Quantinuum's hardware specifications "
        "(https://github.com/CQCL/quantinuum-hardware-specifications, notebooks/Emulator parameters.csv)",
        notes=(
            "Published: errors of gates, of memory in a layer of a circuit, of readout, and crosstalk of measurements, "  # noqa: ISC004
            "each one mean of all qubits.",
            f"Assumed, not published: durations ({H2_LAYER_S * 1e3:g} ms for a layer with two-qubit gates, transport "  # noqa: ISC004
            "and cooling in it; 5 µs for a one-qubit gate, 120 µs to measure, 10 µs to reset, 1 ms to decide).",
            "T2 follows from them and the memory error, read as the average infidelity of a qubit that waits for a "  # noqa: ISC004
            "layer of two-qubit gates; T1 is taken to be infinite.",
            "Crosstalk is taken as the average infidelity that measuring one qubit costs each other one in use, and as "  # noqa: ISC004
            "depolarising; measurements that end a program cost nothing.",
            "Published and not in the noise: that 70 % of the errors of one-qubit gates and 48 % of those of two-qubit "  # noqa: ISC004
            "gates are spontaneous emission, part of which leaves the qubit (leakage): all of it depolarises.",
            "Not published for this date: crosstalk and errors of reset. Errors of two-qubit gates shrink with their "  # noqa: ISC004
            "angle on the machine; here all have that of the full angle.",
        ),
        crosstalk=crosstalk,
    )


def _wheel(wheels: Path, package: str, version: str) -> Path:
    found = sorted(wheels.rglob(f"{package}-{version}-*.whl"))
    if not found:
        raise SystemExit(f"There is no wheel of {package} {version} under {wheels}.")
    return found[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
