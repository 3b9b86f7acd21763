from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from antiphon.adapters.targets.emu.declared import DEVICES
from antiphon.adapters.targets.emu.recorded import recorded
from antiphon.client.device_map import DeviceMap, device_map
from antiphon.errors import InvalidRequestError

SVG = "{http://www.w3.org/2000/svg}"


def drawn(name: str) -> tuple[DeviceMap, ET.Element]:
    device = recorded(name)
    picture = device_map(name, device.shape, device.calibrations[-1])
    return picture, ET.fromstring(picture.svg)


@pytest.mark.parametrize("name", DEVICES)
def test_every_qubit_and_every_pair_that_works_is_drawn_once(name: str) -> None:
    device = recorded(name)
    _, picture = drawn(name)
    circles = list(picture.iter(f"{SVG}circle"))
    assert len(circles) == device.num_qubits
    assert len({(each.get("cx"), each.get("cy")) for each in circles}) == device.num_qubits
    assert [text.text for text in picture.iterfind(f"{SVG}g/{SVG}text")] == [str(q) for q in range(device.num_qubits)]
    pairs = {frozenset(pair) for pair in device.shape.coupling}
    assert len(list(picture.iter(f"{SVG}line"))) == len(pairs)
    width, height = (float(picture.get(side) or 0) for side in ("width", "height"))
    assert all(0 < float(each.get("cx") or -1) < width and 0 < float(each.get("cy") or -1) < height for each in circles)


def test_pairs_join_neighbours() -> None:
    """Their places are those of the machine: no line is longer than a step of the grid."""
    for name in ("emu.heron", "emu.falcon", "emu.manila", "emu.willow"):
        _, picture = drawn(name)
        for line in picture.iter(f"{SVG}line"):
            (x1, y1), (x2, y2) = ((float(line.get(f"x{end}") or 0), float(line.get(f"y{end}") or 0)) for end in (1, 2))
            assert abs(x1 - x2) + abs(y1 - y2) == pytest.approx(46.0), line


def test_the_worst_is_darkest() -> None:
    device = recorded("emu.manila")
    calibration = device.calibrations[-1]
    _, picture = drawn("emu.manila")
    errors = [each.readout_p01 + each.readout_p10 for each in calibration.qubits]
    fills = [each.get("fill") for each in picture.iter(f"{SVG}circle")]
    assert fills[errors.index(max(errors))] == "#084594"
    assert fills[errors.index(min(errors))] == "#deebf7"
    told = [each.text or "" for each in picture.iterfind(f"{SVG}g/{SVG}title")]
    assert all(f"qubit {number}: readout error" in text and "T1" in text for number, text in enumerate(told))


def test_a_device_without_places_is_a_ring_and_a_perfect_one_is_drawn_too() -> None:
    device = recorded("emu.manila")
    calibration = device.calibrations[-1]
    perfect = replace(
        calibration, qubits=tuple(replace(each, readout_p01=0.0, readout_p10=0.0) for each in calibration.qubits)
    )
    picture = ET.fromstring(device_map("a <b>", replace(device.shape, positions=()), perfect).svg)
    assert len({(each.get("cx"), each.get("cy")) for each in picture.iter(f"{SVG}circle")}) == 5
    assert "a <b>" in (picture.findtext(f"{SVG}title") or "")


def test_it_is_saved_and_shown_and_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    picture, _ = drawn("emu.manila")
    assert picture.save(tmp_path / "m.svg").read_text() == picture.svg == picture._repr_svg_()
    with pytest.raises(InvalidRequestError, match="cannot be written") as caught:
        picture.save(tmp_path / "nowhere" / "m.svg")
    assert caught.value.code == "plot-unwritable"
