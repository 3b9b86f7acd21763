import datetime as dt
import math
from importlib import resources

import pytest

from antiphon.adapters.targets.emu.declared import DEVICES
from antiphon.adapters.targets.emu.recorded import recorded
from antiphon.domain.calibrations import Calibration
from antiphon.domain.gates import GATES

SNAPSHOTS = {
    "emu.heron": (156, ["2025-01-23", "2025-02-26"]),
    "emu.falcon": (27, ["2021-12-09", "2024-05-27", "2025-02-12", "2025-02-26"]),
    "emu.manila": (5, ["2021-07-26", "2024-05-27"]),
    "emu.willow": (105, ["2024-08-16"]),
    "emu.ion": (56, ["2024-05-20"]),
}
EVERY = [each for name in DEVICES for each in recorded(name).calibrations]


@pytest.mark.parametrize("name", DEVICES)
def test_the_snapshots_have_the_dates_of_their_originals(name: str) -> None:
    device = recorded(name)
    dates = [dt.datetime.fromtimestamp(each.taken_at, dt.UTC).date().isoformat() for each in device.calibrations]
    assert (device.num_qubits, dates) == SNAPSHOTS[name]


@pytest.mark.parametrize("calibration", EVERY, ids=lambda each: f"{each.target} {each.taken_at:.0f}")
def test_every_figure_is_possible(calibration: Calibration) -> None:
    for qubit in calibration.qubits:
        assert 0.0 < qubit.t2 <= 2 * qubit.t1
        assert 0.0 <= qubit.readout_p01 < 1.0
        assert 0.0 <= qubit.readout_p10 < 1.0
    for name, places in calibration.gates.items():
        for on, figures in places.items():
            assert len(on) == GATES[name].num_qubits
            assert len(set(on)) == len(on)
            assert all(0 <= qubit < len(calibration.qubits) for qubit in on)
            assert 0.0 <= figures.error < 0.5
            assert 0.0 <= figures.seconds < 1.0
    assert calibration.source
    assert calibration.notes
    assert min(calibration.measure_s, calibration.reset_s, calibration.feedforward_s) > 0.0


@pytest.mark.parametrize("name", DEVICES)
def test_every_qubit_reads_rotates_and_is_joined_or_said_to_be_broken(name: str) -> None:
    device = recorded(name)
    newest = device.calibrations[-1]
    assert set(newest.gates) == set(device.shape.native_gates)
    rotated = {qubit for places in newest.gates.values() for on in places if len(on) == 1 for qubit in on}
    assert rotated == set(range(device.num_qubits))
    joined = {qubit for places in newest.gates.values() for on in places if len(on) == 2 for qubit in on}
    alone = set(range(device.num_qubits)) - joined
    said = next((note for note in newest.notes if note.startswith("Left out")), "")
    assert all(f"{qubit}-" in said for qubit in alone)
    assert len(alone) <= 2


def test_figures_are_those_of_the_original() -> None:
    """Spot checks against the published files, as their users would read them."""
    heron = recorded("emu.heron").calibrations[-1]
    assert heron.qubits[0].t1 == pytest.approx(48.8062e-6)
    assert (heron.qubits[0].readout_p01, heron.qubits[0].readout_p10) == (0.00537109, 0.0175781)
    assert heron.gates["rz"][(0,)].error == 0.0
    assert heron.measure_s == pytest.approx(1.56e-6)
    falcon = recorded("emu.falcon").calibrations[-1]
    assert falcon.gates["cx"][(0, 1)].error == pytest.approx(0.00681923)
    assert falcon.gates["cx"][(1, 0)].seconds == pytest.approx(359.111e-9)
    willow = recorded("emu.willow").calibrations[-1]
    errors = sorted(each.error for each in willow.gates["cz"].values())
    assert errors[len(errors) // 2] == pytest.approx(0.8 * 0.00344282, rel=1e-5)


def test_the_memory_error_of_the_ion_trap_is_what_was_published() -> None:
    ion = recorded("emu.ion").calibrations[-1]
    layer = ion.gates["rzz"][(0, 1)].seconds
    assert (1 - math.exp(-layer / ion.qubits[0].t2)) / 3 == pytest.approx(5.0e-4, rel=1e-5)
    assert ion.qubits[0].t1 == math.inf


def test_what_is_out_of_order_is_in_no_gate_and_is_said() -> None:
    heron = recorded("emu.heron").calibrations[-1]
    assert (106, 107) not in heron.gates["cz"]
    assert any("106-107" in note for note in heron.notes)
    assert (106, 107) not in recorded("emu.heron").shape.coupling
    assert recorded("emu.ion").shape.coupling == ()


def test_the_data_is_small() -> None:
    data = resources.files("antiphon.adapters.targets.emu") / "data"
    assert sum(len(each.read_bytes()) for each in data.iterdir()) < 100_000
