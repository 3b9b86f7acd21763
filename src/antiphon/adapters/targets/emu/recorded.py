"""Devices as recorded: their shape and the dated snapshots that were published of them.

The files in `data` are made by tools/extract_calibrations.py from the packages and pages that each calibration names as
its source.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from antiphon.domain.calibrations import Calibration
from antiphon.domain.devices import Counted, DeviceLimit, DeviceShape


@dataclass(frozen=True)
class RecordedDevice:
    """One device.

    Attributes:
        described: The machine that it is modelled on, in words.
        shape: Its native gates and limits, and the pairs that the newest snapshot joins.
        num_qubits: How many it has, whether or not all of them work.
        calibrations: Oldest first; at least one.
    """

    target: str
    described: str
    shape: DeviceShape
    num_qubits: int
    calibrations: tuple[Calibration, ...]

    def most(self, of: Counted, otherwise: int) -> int:
        """The most of something that it takes, or `otherwise` where it has no such limit."""
        limit = self.shape.limit(of)
        return otherwise if limit is None else int(limit.most)


@cache
def recorded(target: str) -> RecordedDevice:
    """The device that the target of this name emulates, e.g. "emu.heron"."""
    file = resources.files(__package__) / "data" / f"{target.removeprefix('emu.')}.json.gz"
    data: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    device = data["device"]
    calibrations = tuple(Calibration.from_json(each) for each in data["calibrations"])
    pairs = {on for gates in calibrations[-1].gates.values() for on in gates if len(on) == 2}
    shape = DeviceShape(
        family=device["family"],
        native_gates=tuple(device["native_gates"]),
        coupling=() if device.get("all_to_all") else tuple(sorted(pairs)),
        limits=tuple(DeviceLimit.from_json(each) for each in device["limits"]),
        mid_circuit=device["mid_circuit"],
        positions=tuple((right, down) for right, down in device.get("positions", ())),
        shot_pause_s=device["shot_pause_s"],
        shot_pause_source=device["shot_pause_source"],
        dt_s=device.get("dt_s"),
    )
    return RecordedDevice(target, device["described"], shape, device["num_qubits"], calibrations)
